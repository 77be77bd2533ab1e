/**
 * An app with regshift in it, on Node. The paths of the registry APIs are regshift's; all others are the app's own.
 *
 *     REGSHIFT_UPSTREAM=https://registry.example node node.ts
 */
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { createApp } from 'regshift';

// Wrong settings end the start here, with a line for each problem.
const regshift = createApp(process.env);

const app = new Hono();
app.use((context, next) => {
  if (!regshift.handles(context.req.raw)) return next();
  return regshift.fetch(context.req.raw, { clientAddress: getConnInfo(context).remote.address });
});
app.get('*', (context) => context.text('The page of my own app.\n'));

const { HOST: hostname = '127.0.0.1', PORT: port = '8080' } = process.env;
serve({ fetch: app.fetch, hostname, port: Number(port) }, (info) => {
  console.log(`listens on http://${hostname}:${info.port}`);
});
