import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Log } from '../../../../src/observability/log.ts';
import { createProxyServer, listen, urlOf } from '../../../../src/runtime/node/http/server.ts';
import { shutDown } from '../../../../src/runtime/node/shutdown.ts';

it('a slow client gets the rest of a response whose end is written', async () => {
  const size = 20_000_000;
  const listener = { answering: () => 0, lastAnswers: () => undefined, cut: () => false };
  const answer = (_: unknown, response: ServerResponse) => void response.end(new Uint8Array(size));
  const ofServer = { certificate: undefined, listen: answer, lastResponses: () => undefined };
  const server = createProxyServer({ ...listener, ...ofServer });
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

it('a response that is cut at the deadline ends before the stop does', async () => {
  let answering = 1;
  const closes = () => {
    answering = 0;
    log('info', 'request');
  };
  const cut = () => {
    setTimeout(closes, 30);
    return true;
  };
  const logged: string[] = [];
  const log: Log = (_level, message) => void logged.push(message);
  const listener = { answering: () => answering, lastAnswers: () => undefined, cut };
  expect(await shutDown({ servers: [], listener, log, graceMs: 0, deadlineMs: 0 })).toBe(1);
  expect(logged.slice(-3)).toEqual(['request', 'stopping: answers were cut at the deadline', 'stopped']);
});
