import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { readAfterFailedWrites } from '../../../../../src/runtime/node/http/write-errors.ts';
import type { Fetch } from '../../../../../src/upstream/send.ts';

/** Answers the first bytes of each connection, and closes it with later ones unread: the system sends a reset. */
function createRefusing(text: string) {
  const answer = `HTTP/1.1 413 Refused\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      // The rest of the upload stays unread.
      socket.pause();
      const close = () => {
        socket.destroy();
        resolve();
      };
      setTimeout(() => socket.write(answer, close), 20);
    });
  });
  return { server, closed };
}

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/**
 * Sends an upload that goes on after its connection has been closed. Its next write comes before the process reads from
 * the connection again, because nothing in between waits for the system.
 */
async function refusedUpload(send: Fetch, url: string, closed: Promise<void>): Promise<unknown> {
  let pieces = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (pieces > 1) await closed;
        pieces += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    },
    { highWaterMark: 0 },
  );
  const init: object = { method: 'PATCH', body, duplex: 'half' };
  return send(url, init).then(
    async (response) => `${response.status} ${await response.text()}`,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

describe('a registry that refuses an upload and closes the connection gives its answer', () => {
  it.each(['too much', 'x'.repeat(30_000)])('over plain HTTP', async (text) => {
    const { server, closed } = createRefusing(text);
    const url = `http://127.0.0.1:${await listening(server)}/`;
    expect(await refusedUpload(createHttpFetch(), url, closed)).toBe(`413 ${text}`);
  });
});

it('a failed write ends a connection that brings nothing', async () => {
  const port = await listening(createServer(() => undefined));
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket._write = (_chunk, _encoding, callback) => callback(new Error('refused'));
  readAfterFailedWrites(socket);
  const started = performance.now();
  const { promise: failed, resolve } = Promise.withResolvers<Error>();
  socket.on('error', resolve);
  socket.resume().write('x');
  expect((await failed).message).toBe('refused');
  expect(performance.now() - started).toBeGreaterThan(900);
});
