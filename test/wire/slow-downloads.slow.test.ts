import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { layerContent } from '../support/layer-content.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { compressedImage } from '../support/packed-image.ts';
import { rawRequest } from '../support/raw-http.ts';
import { serveOnNode, type WireServer } from '../support/wire-server.ts';

/** More than the buffers of two sockets can hold. */
const layerBytes = 16 * 2 ** 20;
const content = layerContent(layerBytes);
const digest = digestOf(content);
const path = `/v2/team/packed/blobs/${digest}`;

let registry: Server | undefined;
let proxy: WireServer | undefined;
afterEach(async () => {
  await proxy?.stop();
  registry?.closeAllConnections();
  registry?.close();
});

/** Starts the proxy in front of a registry with one layer, compressed with this window. @returns its port. */
async function start(windowLog: number): Promise<number> {
  const params = { [constants.ZSTD_c_windowLog]: windowLog };
  const compressed = new Uint8Array(
    Buffer.concat(await Readable.from([content]).pipe(createZstdCompress({ params })).toArray()),
  );
  const image = compressedImage('team/packed', [
    { mediaType: mediaTypes.ociLayerZstd, compressed, tar: content },
  ]);
  registry = createServer(async ({ method = 'GET', url = '/', headers: { range } }, response) => {
    const asked = new URL(url, 'http://registry.test');
    const request = new Request(asked, { method, headers: range === undefined ? {} : { range } });
    const answer = (await image(request, asked)) ?? new Response('{}');
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(method === 'HEAD' ? undefined : new Uint8Array(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => registry?.listen(0, '127.0.0.1', resolve));
  proxy = await serveOnNode(`http://127.0.0.1:${(registry.address() as AddressInfo).port}`);
  const { port } = proxy;
  const headers = manifestRequestHeaders['Docker 1.13.1'];
  const manifest = '/v2/team/packed/manifests/latest';
  expect(await rawRequest({ port, method: 'GET', path: manifest, headers })).toMatchObject({ status: 200 });
  return port;
}

/** A client that reads 1,000 bytes each half second, until `rest` reads the remainder. */
function slowClient(port: number) {
  const socket = connect(port, '127.0.0.1');
  const hash = createHash('sha256');
  const begun = Promise.withResolvers<void>();
  let length = -1;
  const take = (bytes: Buffer) => {
    const head = length < 0 ? bytes.indexOf('\r\n\r\n') + 4 : 0;
    length = Math.max(0, length) + bytes.length - head;
    hash.update(bytes.subarray(head));
    begun.resolve();
  };
  socket.on('error', begun.reject);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  const timer = setInterval(() => {
    const bytes: Buffer | null = socket.read(1_000);
    if (bytes) take(bytes);
  }, 500);
  return {
    begun: begun.promise,
    async rest(): Promise<{ readonly length: number; readonly digest: string }> {
      clearInterval(timer);
      socket.on('data', take);
      await new Promise((resolve) => socket.once('close', resolve).resume());
      return { length, digest: `sha256:${hash.digest('hex')}` };
    },
  };
}

it.each([
  [2, 27],
  [32, 23],
])(
  '%i slow clients with windows of 2^%i bytes: another client gets its layer meanwhile, and they get theirs after it',
  async (count, windowLog) => {
    const port = await start(windowLog);
    const slow = Array.from({ length: count }, () => slowClient(port));
    await Promise.all(slow.map(({ begun }) => begun));
    await sleep(500);
    const other = await rawRequest({ port, method: 'GET', path, headers: [], deadline: 40_000 });
    expect([other.status, digestOf(other.body)]).toEqual([200, digest]);
    const all = await Promise.all(slow.map(({ rest }) => rest()));
    expect(all).toEqual(slow.map(() => ({ length: layerBytes, digest })));
  },
  120_000,
);
