import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { serveOnNode } from '../support/wire-server.ts';

const secret = 'the-secret-of-a-test-with-32-chars';

it('a notification whose body stands still gets 408, and its connection ends', async () => {
  const server = await serveOnNode('http://127.0.0.1:9', { REGSHIFT_EVENTS_SECRET: secret });
  onTestFinished(server.stop);
  const socket = connect(server.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(socket, 'end', { signal: AbortSignal.timeout(25_000) });
  socket.write(
    `POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\nContent-Length: 100\r\n\r\n{"events":[`,
  );
  await ended;
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
  expect(text.toLowerCase()).toContain('\r\nconnection: close\r\n');
  expect(text).toContain('did not arrive within 10 seconds');
});
