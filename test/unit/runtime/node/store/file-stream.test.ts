import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendFile } from '../../../../../src/runtime/node/store/file-stream.ts';
import { type Listening, listen } from '../../../../support/listen.ts';

const MiB = 2 ** 20;
/** More than a fast client needs to get large pieces. */
const content = randomBytes(24 * MiB + 12_345);

describe('a file that is sent', () => {
  let folder = '';
  let server: Listening;
  const ends: Promise<string>[] = [];
  /** Names a part and the file: `/<start>/<length>/<file>`. */
  const address = (start: number, length: number, file = 'whole') =>
    `http://127.0.0.1:${server.port}/${start}/${length}/${file}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regshift-file-stream-'));
    await writeFile(join(folder, 'whole'), content);
    server = await listen(
      createServer(async (request, response) => {
        const [, start, length, file = ''] = (request.url ?? '').split('/');
        const handle = await open(join(folder, file));
        response.writeHead(200, { 'content-length': Number(length) });
        const sent = sendFile({ handle, start: Number(start), length: Number(length) }, response);
        ends.push(
          sent.then(
            () => `sent, ${handle.fd}`,
            (error: Error) => `${error.message}, ${handle.fd}`,
          ),
        );
      }),
    );
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const opened = (url: string) =>
    new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).on('error', reject));

  /** Reads a body. It stands still for a while after each of the given numbers of bytes. */
  async function digestOfBody(url: string, stops: readonly number[] = []): Promise<string> {
    const hash = createHash('sha256');
    let bytes = 0;
    const left = [...stops];
    for await (const piece of await opened(url)) {
      hash.update(piece);
      bytes += piece.length;
      if (bytes < (left[0] ?? Number.POSITIVE_INFINITY)) continue;
      left.shift();
      await sleep(150);
    }
    return hash.digest('hex');
  }

  const expected = (start: number, length: number) =>
    createHash('sha256')
      .update(content.subarray(start, start + length))
      .digest('hex');

  it.each([
    ['whole', 0, content.length],
    ['from its middle', 3 * MiB + 7, 20 * MiB],
    ['of one byte', 5, 1],
    ['of no byte', 5, 0],
  ])('is the part that was asked for: %s', async (_, start, length) => {
    expect(await digestOfBody(address(start, length))).toBe(expected(start, length));
    expect(await ends.pop()).toBe('sent, -1');
  });

  it('is whole for a client that is now fast, now slow', async () => {
    const stops = [2 * MiB, 9 * MiB, 10 * MiB, 18 * MiB];
    expect(await digestOfBody(address(0, content.length), stops)).toBe(expected(0, content.length));
  });

  it('is whole for each of ten clients at the same time', async () => {
    const all = Array.from({ length: 10 }, (_, index) => digestOfBody(address(index, 20 * MiB)));
    expect(await Promise.all(all)).toEqual(all.map((_, index) => expected(index, 20 * MiB)));
  });

  it('breaks off where the file ends early, and closes it', async () => {
    await writeFile(join(folder, 'short'), content);
    await truncate(join(folder, 'short'), 17 * MiB);
    await expect(digestOfBody(address(0, content.length, 'short'))).rejects.toThrow('aborted');
    expect(await ends.pop()).toBe(`the file ends at its byte ${17 * MiB}, -1`);
  });

  it('is closed when the client leaves while the next piece is being read', async () => {
    const body = await opened(address(0, content.length));
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > 9 * MiB) break;
    }
    body.destroy();
    expect(await ends.pop()).toBe('sent, -1');
  });
});
