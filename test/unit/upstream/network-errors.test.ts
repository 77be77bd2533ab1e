import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../src/runtime/node/http/fetch.ts';
import { networkError } from '../../../src/upstream/network-errors.ts';

/** The message for a server that sends these bytes in answer to a GET; undefined if the response can be read. */
async function messageFor(bytes: string): Promise<string | undefined> {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(bytes));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return createHttpFetch()(url.href, {}).then(
    () => undefined,
    (error: unknown) => networkError(error, 'GET', url).message,
  );
}

const headersOf = (bytes: number) =>
  `HTTP/1.1 200 OK\r\nSet-Cookie: ${'a'.repeat(bytes)}\r\nContent-Length: 0\r\n\r\n`;

it.each([
  'Content-Length: 3\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
])('a response with two lengths is named: %j', async (lengths) => {
  const message = await messageFor(`HTTP/1.1 200 OK\r\n${lengths}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`);
  expect(message).toContain('both Content-Length and Transfer-Encoding');
});

it.each([
  ['has Content-Length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
  ['has more than 64 KiB of headers', headersOf(70_000)],
  ['breaks the rules of HTTP/1.1', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['breaks the rules of HTTP/1.1', 'HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\u0001\r\nContent-Length: 0\r\n\r\n'],
  ['has a status that HTTP does not have', 'HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n'],
])('a response that %s is named', async (fault, bytes) => {
  expect(await messageFor(bytes)).toContain(
    `its response ${fault}; have the registry, or the proxy in front of it,`,
  );
});

it('a response with many cookies of a gateway is read', async () => {
  expect(await messageFor(headersOf(40_000))).toBeUndefined();
});
