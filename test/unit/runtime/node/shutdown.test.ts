import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createProxyServer, listen, urlOf } from '../../../../src/runtime/node/http/server.ts';
import { shutDown } from '../../../../src/runtime/node/shutdown.ts';

it('a slow client gets the rest of a response whose end is written', async () => {
  const size = 20_000_000;
  const listener = { answering: () => 0, lastAnswers: () => undefined, cut: () => false };
  const answer = (_: unknown, response: ServerResponse) => void response.end(new Uint8Array(size));
  const server = createProxyServer({ ...listener, certificate: undefined, listen: answer });
  const { port, hostname } = new URL(urlOf(await listen(server, '127.0.0.1', 0)));
  onTestFinished(() => void server.closeAllConnections());
  const socket = connect(Number(port), hostname);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'readable');
  const log = () => undefined;
  const stopped = shutDown({ servers: [server], listener, log, graceMs: 0, deadlineMs: 20_000 });
  await sleep(1_200);
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  await Promise.all([stopped, once(socket, 'close')]);
  expect(received).toBeGreaterThan(size);
});
