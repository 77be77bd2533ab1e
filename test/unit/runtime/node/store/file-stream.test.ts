import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type ServerOptions } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestHex } from '../../../../../converters/digest.ts';
import { systemClock, systemWallClock } from '../../../../../src/clock.ts';
import { responseWithUpstreamBody } from '../../../../../src/http/upstream-body.ts';
import { noMetrics } from '../../../../../src/observability/metrics.ts';
import { createListener } from '../../../../../src/runtime/node/http/listener.ts';
import { ProxyResponse } from '../../../../../src/runtime/node/http/proxy-response.ts';
import {
  createFileOperations,
  hasFileOperations,
} from '../../../../../src/runtime/node/store/file-operations.ts';
import { sendFile } from '../../../../../src/runtime/node/store/file-stream.ts';
import { createFolderStore } from '../../../../../src/runtime/node/store/folder-store.ts';
import { forReading, openStoreFile } from '../../../../../src/runtime/node/store/store-file.ts';
import { storeBlob } from '../../../../support/blob-stores.ts';
import { layerContent } from '../../../../support/layer-content.ts';
import { type Listening, listen } from '../../../../support/listen.ts';

/** Serves one stored layer of 32 MiB, which no buffer of a connection holds. */
async function servingStored(options: ServerOptions = {}) {
  const path = await mkdtemp(join(tmpdir(), 'regshift-file-stream-'));
  const clocks = { clock: systemClock, wallClock: systemWallClock };
  const store = createFolderStore({ path, bytes: 2 ** 40, ...clocks, log: () => {}, metrics: noMetrics });
  const blob = await storeBlob(store, layerContent(32 * 2 ** 20));
  const log = vi.fn();
  const fetch = async () =>
    responseWithUpstreamBody((await store.read(blob)) ?? null, {
      headers: { 'Content-Length': String(blob.size) },
    });
  const responseCache = { lookup: () => undefined, revalidate: () => undefined };
  const { listen, answering } = createListener({ fetch, responseCache }, log);
  const server = createServer(options, listen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(path, { recursive: true, force: true });
  });
  const hex = digestHex(blob.digest);
  const file = join(path, 'blobs', 'sha256', hex.slice(0, 2), hex);
  return { port: (server.address() as AddressInfo).port, log, server, file, answering };
}

/** A client that reads the first bytes, and then nothing. */
async function slowClient(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: regshift.test\r\n\r\n');
  await once(client, 'data');
  client.pause();
  await sleep(100);
  return client;
}

it.each([
  ['by a reset', (client: Socket) => client.resetAndDestroy()],
  ['by its end', (client: Socket) => client.destroy()],
])(
  'a client that leaves %s while it reads a stored layer slowly is no error of the store',
  async (_, leave) => {
    const { port, log, server } = await servingStored();
    const client = await slowClient(port);
    leave(client);
    const connections = () =>
      new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
    await expect.poll(hasFileOperations).toBe(false);
    expect(log).not.toHaveBeenCalled();
  },
);

it('a stored layer that ends early is an error, and cuts the connection', async () => {
  const { port, log, file } = await servingStored();
  const client = await slowClient(port);
  await truncate(file, 2 ** 20);
  client.resume();
  await once(client, 'close');
  expect(log).toHaveBeenCalledWith(
    'warn',
    'an answer broke off',
    expect.objectContaining({ reason: expect.stringContaining('the file ends at its byte') }),
  );
});

it('a stored layer is closed when the client leaves before its turn in a pipeline', async () => {
  const { port, log, file, answering } = await servingStored({ ServerResponse: ProxyResponse });
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
  await expect.poll(answering).toBe(2);
  await sleep(100);
  client.destroy();
  await expect.poll(answering).toBe(0);
  await expect.poll(() => openFiles(file)).toEqual([]);
  expect(log).not.toHaveBeenCalled();
});

const MiB = 2 ** 20;
const operations = createFileOperations({ places: 2 });
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
        const opened = await openStoreFile(operations, join(folder, file), forReading);
        response.writeHead(200, { 'content-length': Number(length) });
        const sent = sendFile({ file: opened, start: Number(start), length: Number(length) }, response);
        ends.push(
          sent.then(
            () => 'sent',
            (error: Error) => error.message,
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

  afterEach(() => expect.poll(() => openFiles(folder)).toEqual([]));

  it.each([
    ['whole', 0, content.length],
    ['from its middle', 3 * MiB + 7, 20 * MiB],
    ['of one byte', 5, 1],
    ['of no byte', 5, 0],
  ])('is the part that was asked for: %s', async (_, start, length) => {
    expect(await digestOfBody(address(start, length))).toBe(expected(start, length));
    expect(await ends.pop()).toBe('sent');
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
    expect(await ends.pop()).toBe(`the file ends at its byte ${17 * MiB}`);
  });

  it('is closed when the client leaves while the next piece is being read', async () => {
    const body = await opened(address(0, content.length));
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > 9 * MiB) break;
    }
    body.destroy();
    expect(await ends.pop()).toBe('sent');
  });
});

/** The files in a folder, or the file, that this process has open (Linux). */
function openFiles(place: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => readlinkOrNone(`/proc/self/fd/${fd}`))
    .filter((path) => path.startsWith(place));
}

/** The target of a link, or nothing if it has gone meanwhile. */
function readlinkOrNone(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
