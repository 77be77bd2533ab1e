import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../src/runtime/node/http/fetch.ts';
import { networkError } from '../../../src/upstream/network-errors.ts';

it.each([
  'Content-Length: 3\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
])('a response with two lengths is named: %j', async (lengths) => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${lengths}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const error: unknown = await createHttpFetch()(url.href, {}).catch((error: unknown) => error);
  expect(networkError(error, 'GET', url).message).toContain('both Content-Length and Transfer-Encoding');
});
