import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startHostileUpstream } from '../../support/faults/hostile-upstream.ts';
import { startProxy } from '../../support/proxy.ts';

/** Sends the rest letter by letter, one a second. @returns the response, and when the proxy closed the connection. */
async function slowly(port: number, first: string, rest: string) {
  const socket = connect(port, '127.0.0.1');
  const started = performance.now();
  let heard = '';
  let ended = false;
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
  });
  socket.write(first);
  for (const letter of rest) {
    await sleep(1_000);
    if (ended) break;
    socket.write(letter);
  }
  const seconds = (performance.now() - started) / 1_000;
  socket.destroy();
  return { heard, ended, seconds };
}

it('a client that sends its headers letter by letter has half a minute; one that sends its body so has no such limit', async () => {
  const upstream = await startHostileUpstream();
  const proxy = await startProxy(upstream.url);
  const bodies: string[] = [];
  upstream.misbehave(
    async ({ request, response }) => {
      const pieces: string[] = [];
      for await (const chunk of request) pieces.push(String(chunk));
      bodies.push(pieces.join(''));
      response.writeHead(202, { location: '/v2/a/b/blobs/uploads/x', 'content-length': 0 }).end();
    },
    ({ method }) => method === 'PATCH',
  );
  const patience = 'x'.repeat(50);
  const upload = `PATCH /v2/a/b/blobs/uploads/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${patience.length}\r\n\r\n`;
  const [head, body] = await Promise.all([
    slowly(proxy.port, 'GET /v2/ HTTP/1.1\r\nHost: a\r\nX: ', patience),
    slowly(proxy.port, upload, `${patience} `),
  ]);
  expect(head).toMatchObject({ ended: true, heard: expect.stringMatching(/^HTTP\/1\.1 408 /) });
  expect(head.seconds).toBeLessThan(45);
  expect(body.heard).toMatch(/^HTTP\/1\.1 202 /);
  expect(bodies).toEqual([patience]);
  await Promise.all([proxy.stop(), upstream.stop()]);
});
