import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** A bare Hono route that sends the bytes of standard input with their headers: the least that a response costs. */
const [port = '0', headers = '{}'] = process.argv.slice(2);
const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const body = new Uint8Array(Buffer.concat(chunks));
const app = new Hono();
const said = JSON.parse(headers) as Record<string, string>;
app.get('/v2/*', () => new Response(body, { headers: said }));
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' });
