import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Log } from '../../../../../src/observability/log.ts';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { createListener } from '../../../../../src/runtime/node/http/listener.ts';
import { close, createProxyServer, listen, urlOf } from '../../../../../src/runtime/node/http/server.ts';

/** More than the system's buffers of a connection hold. */
const size = 50_000_000;

/** Serves `fetch` as the proxy does. */
async function serving(fetch: (request: Request) => Promise<Response>) {
  const logged: string[] = [];
  const log: Log = (level, message) => logged.push(`${level} ${message}`);
  const app = { fetch, responseCache: { lookup: () => undefined, revalidate: () => undefined } };
  const server = createProxyServer({ ...createListener(app, log), certificate: undefined, log });
  const url = urlOf(await listen(server, '127.0.0.1', 0));
  onTestFinished(() => close(server));
  return { port: Number(new URL(url).port), logged };
}

/** The response that a client gets which reads after the last byte of its body, as Apache does. */
async function afterWholeBody(port: number, connection: string) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const head = [
    'PATCH /v2/a/blobs/uploads/1 HTTP/1.1',
    'Host: a',
    `Connection: ${connection}`,
    `Content-Length: ${size}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(new Uint8Array(size), (error) => (error ? reject(error) : resolve()));
  });
  socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  return (await text(socket)).match(/HTTP\/1\.1 \d+/g);
}

/** Ways to refuse a body: unread, or after its first part, as when the registry answers in the middle. */
const refusals = {
  unread: async () => new Response('too large', { status: 413 }),
  'after a part': async ({ body }: Request) => {
    await body?.getReader().read();
    return new Response('too large', { status: 413 });
  },
  'after a part, and cancelled': async ({ body }: Request) => {
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    return new Response('too large', { status: 413 });
  },
};

describe.each(Object.entries(refusals))('a body that is refused %s', (_, refuse) => {
  it('leaves the response to a client that reads after its last byte', async () => {
    const { port } = await serving(refuse);
    expect(await afterWholeBody(port, 'close')).toEqual(['HTTP/1.1 413']);
  });

  it('leaves a kept connection to the next request', async () => {
    const { port } = await serving((request) =>
      request.method === 'GET' ? Promise.resolve(new Response('next')) : refuse(request),
    );
    expect(await afterWholeBody(port, 'keep-alive')).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('is no unreadable request if its client then leaves', async () => {
    const { port, logged } = await serving(refuse);
    const socket = connect(port, '127.0.0.1');
    socket.write('PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nab');
    socket.once('data', () => socket.end());
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 .*too large$/s);
    expect(logged).toEqual([]);
  });
});

/** Statuses with which a registry answers in the middle of a body. The proxy refuses the upload for each. */
const early = [413, 307, 202];

it.each(early)('a registry that answers %s does not get a part of a body as the whole', async (status) => {
  const ends: string[] = [];
  const registry = createServer((request, response) => {
    request.socket.once('close', () => ends.push(request.complete ? 'whole' : 'broken off'));
    request.once('data', () => response.writeHead(status).end('early'));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void registry.close().closeAllConnections());
  const upstream = urlOf(registry);
  const ask = createHttpFetch();
  const { port } = await serving(async ({ method, body }) => {
    const answer = await ask(upstream, { method, body });
    return new Response(await answer.text(), { status: status === 413 ? status : 502 });
  });
  expect(await afterWholeBody(port, 'close')).toEqual([`HTTP/1.1 ${status === 413 ? status : 502}`]);
  await expect.poll(() => ends, { timeout: 4_000 }).toEqual(['broken off']);
});

it('a registry does not read the next request as a part of a refused body', async () => {
  const asked: string[] = [];
  const registry = createServer((request, response) => {
    asked.push(`${request.method}`);
    response.writeHead(request.method === 'GET' ? 200 : 307).end('answer');
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void registry.close().closeAllConnections());
  const upstream = urlOf(registry);
  const ask = createHttpFetch();
  const { port } = await serving(async ({ method, headers, body }) => {
    const length = headers.get('content-length');
    const answer = await ask(upstream, { method, body, headers: length ? { 'content-length': length } : {} });
    return new Response(await answer.text(), { status: answer.ok ? 200 : 502 });
  });
  expect(await afterWholeBody(port, 'close')).toEqual(['HTTP/1.1 502']);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(asked).toEqual(['PATCH', 'GET']);
});

it('a body in chunks of one byte is read in pieces of many', async () => {
  const chunks = 20_000;
  let pieces = 0;
  let bytes = 0;
  const { port } = await serving(async ({ body }) => {
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      pieces += 1;
      bytes += piece.length;
    }
    return new Response('read');
  });
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
  socket.write(`${'1\r\nx\r\n'.repeat(chunks)}0\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  expect(bytes).toBe(chunks);
  expect(pieces).toBeLessThan(chunks / 10);
});
