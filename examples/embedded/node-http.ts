/**
 * A server of `node:http` with regshift in it. The paths of the registry APIs are regshift's; all others are the server's
 * own.
 *
 *     REGSHIFT_UPSTREAM=https://registry.example node node-http.ts
 */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createApp } from 'regshift';

const regshift = createApp(process.env);

const registryPaths = /^\/+(?:v1|v1ctx|v2|token)(?:[/?]|$)/;
const listener = getRequestListener((request, { incoming }) =>
  regshift.fetch(request, { clientAddress: incoming.socket.remoteAddress }),
);

const server = createServer((request, response) => {
  if (registryPaths.test(request.url ?? '')) return void listener(request, response);
  response.end('The page of my own app.\n');
});

const { HOST: hostname = '127.0.0.1', PORT: port = '8080' } = process.env;
server.listen(Number(port), hostname, () => console.log(`listens on http://${hostname}:${port}`));
