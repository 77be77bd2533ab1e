import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareWorkerd, memoryOf, startBareWorkerd } from '../support/bare-workerd.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type LargeImage, pushLargeImage } from '../support/large-image.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { rawRequest } from '../support/raw-http.ts';
import { sha256Of } from '../support/sha256.ts';
import { serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

const MiB = 2 ** 20;
const size = 20 * MiB;
const headers = manifestRequestHeaders['Docker 1.13.1'];

describe.skipIf(requirePeers('docker-registry'))('a layer of 20 MiB through the Worker', () => {
  let registry: DockerRegistry;
  let stored: LargeImage;
  let zstd: LargeImage;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    stored = await pushLargeImage(registry.url, 'large/stored', size);
    zstd = await pushLargeImage(registry.url, 'large/zstd', size, 'zstd');
  });
  afterAll(() => registry?.stop());

  describe('has its length on the wire', () => {
    let worker: WireServer;
    beforeAll(async () => {
      worker = await serveOnWorkerd(registry.url);
      // The Worker learns the decompressed digests of the layers with the manifest.
      await ask('GET', '/v2/large/zstd/manifests/latest');
    });
    afterAll(() => worker?.stop());

    const ask = (method: string, path: string, more: [string, string][] = []) =>
      rawRequest({ port: worker.port, method, path, headers: [...headers, ...more], deadline: 30_000 });

    const layers = () => [
      ['as it is stored', stored.layer] as const,
      ['decompressed', zstd.plain] as const,
      ['compressed by zstd', zstd.layer] as const,
    ];

    it('whole, by GET and by HEAD', async () => {
      for (const [, { path, bytes, digest }] of layers()) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await ask(method, path);
          expect(answer.status).toBe(200);
          expect(answer.header('Content-Length')).toBe(String(bytes.length));
          expect(answer.header('Transfer-Encoding')).toBeUndefined();
          expect(answer.header('Content-Encoding')).toBeUndefined();
          expect(answer.header('Docker-Content-Digest')).toBe(digest);
          if (method === 'GET') expect(await sha256Of(answer.body)).toBe(digest);
        }
      }
    });

    it('in part', async () => {
      for (const [, { path, bytes }] of layers()) {
        const start = bytes.length - 3 * MiB - 7;
        const answer = await ask('GET', path, [['Range', `bytes=${start}-`]]);
        expect(answer.status).toBe(206);
        expect(answer.header('Content-Length')).toBe(String(bytes.length - start));
        expect(answer.header('Transfer-Encoding')).toBeUndefined();
        expect(answer.header('Content-Range')).toBe(`bytes ${start}-${bytes.length - 1}/${bytes.length}`);
        expect(await sha256Of(answer.body)).toBe(await sha256Of(bytes.subarray(start)));
      }
    });
  });

  describe('is not held in memory', () => {
    let worker: BareWorkerd;
    beforeAll(async () => {
      worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: registry.url });
      const path = '/v2/large/zstd/manifests/latest';
      await rawRequest({ port: worker.port, method: 'GET', path, headers });
    });
    afterAll(() => worker?.stop());

    const get = async (path: string) => {
      const { body } = await fetch(`http://127.0.0.1:${worker.port}${path}`);
      let length = 0;
      for await (const piece of body ?? []) length += piece.length;
      return length;
    };

    it('however many are passed through', async () => {
      await get(stored.layer.path);
      const before = memoryOf(worker.pid);
      for (let round = 0; round < 5; round += 1) {
        const lengths = await Promise.all(Array.from({ length: 6 }, () => get(stored.layer.path)));
        expect(new Set(lengths)).toEqual(new Set([size]));
      }
      expect(memoryOf(worker.pid) - before).toBeLessThan(60);
    });

    it('by clients that take their time', async () => {
      const before = memoryOf(worker.pid);
      const clients = Array.from({ length: 12 }, () => {
        const client = connect(worker.port, '127.0.0.1').pause();
        client.write(`GET ${stored.layer.path} HTTP/1.1\r\nHost: regshift.test\r\n\r\n`);
        return client;
      });
      await sleep(1_000);
      const held = memoryOf(worker.pid) - before;
      for (const client of clients) client.destroy();
      // The clients wait for 240 MiB together.
      expect(held).toBeLessThan(60);
    });

    it('when it is decompressed on the way', async () => {
      expect(await get(zstd.plain.path)).toBe(size);
      const before = memoryOf(worker.pid);
      for (let round = 0; round < 3; round += 1) expect(await get(zstd.plain.path)).toBe(size);
      expect(memoryOf(worker.pid) - before).toBeLessThan(60);
    });
  });
});
