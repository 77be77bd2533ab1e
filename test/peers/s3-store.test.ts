import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Digest, digestHex, digestOf } from '../../converters/digest.ts';
import type { BlobStore } from '../../src/layers/store/blob-store.ts';
import { createS3Client } from '../../src/layers/store/s3/s3-client.ts';
import { bucketMaintenance } from '../../src/layers/store/s3/s3-list.ts';
import { createS3Store } from '../../src/layers/store/s3/s3-store.ts';
import { describeBlobStore, describeNamingAtEnd } from '../support/blob-stores.ts';
import { regshift } from '../support/cli.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { pushLargeImage } from '../support/large-image.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { startRelay } from '../support/relay.ts';
import { type Swift, startSwift, swiftKey, swiftPrograms, swiftRegion } from '../support/swift.ts';

describe.skipIf(requirePeers(...swiftPrograms))('OpenStack Swift with its S3 API', () => {
  let swift: Swift;
  const prefixes = new WeakMap<BlobStore, string>();
  const options = () => ({
    bucket: { bucket: 'layers', endpoint: swift.endpoint, region: swiftRegion },
    credentials: async () => swiftKey,
    fetch,
    userAgent: 'regshift/test',
    wallClock: () => new Date(),
  });

  beforeAll(async () => {
    swift = await startSwift();
    await createS3Client(options()).send({ method: 'PUT' });
  }, 60_000);
  afterAll(() => swift?.stop());

  async function openStore(): Promise<BlobStore> {
    const prefix = randomUUID();
    const store = createS3Store({
      ...options(),
      prefix,
      mostWrites: 2,
      log: () => {},
      maintenance: bucketMaintenance,
    });
    prefixes.set(store, prefix);
    return store;
  }

  describeBlobStore('a bucket of Swift', openStore, async (store, digest, bytes) => {
    const key = `${prefixes.get(store)}/blobs/sha256/${digestHex(digest as Digest)}`;
    await createS3Client(options()).send({ method: 'PUT', key, body: bytes });
  });
  describeNamingAtEnd('a bucket of Swift', openStore);

  describe.skipIf(requirePeers('docker-registry'))('in front of a docker-registry', () => {
    let registry: DockerRegistry;
    beforeAll(async () => {
      registry = await startDockerRegistry();
    });
    afterAll(() => registry?.stop());

    it('has a layer that one replica decompressed for another replica', async () => {
      const image = await pushLargeImage(registry.url, 'team/shared', 20 * 2 ** 20, 'zstd');
      const tap = await startRelay(registry.url);
      const store = `s3://layers/shared?endpoint=${swift.endpoint.origin}&region=${swiftRegion}`;
      const settings = {
        REGSHIFT_STORE: store,
        AWS_ACCESS_KEY_ID: swiftKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: swiftKey.secretAccessKey,
      };
      const replicas = [
        await startProxy(`http://${tap.host}`, settings),
        await startProxy(`http://${tap.host}`, settings),
      ];
      const ask = async (replica: number, path: string) => {
        const headers = new Headers();
        for (const [name, value] of manifestRequestHeaders['Docker 1.13.1']) headers.append(name, value);
        return fetch(`http://127.0.0.1:${replicas[replica]?.port}${path}`, { headers });
      };
      try {
        for (const replica of [0, 1]) {
          const manifest = await ask(replica, '/v2/team/shared/manifests/latest');
          expect(manifest.status).toBe(200);
          await vi.waitFor(
            async () => {
              const info = await regshift(['store', 'info', '--json'], { env: settings });
              expect(info.json()).toMatchObject({ store: 's3', layers: 1 });
            },
            { timeout: 20_000, interval: 500 },
          );
          tap.forget();
          const layer = await ask(replica, image.plain.path);
          expect(digestOf(new Uint8Array(await layer.arrayBuffer()))).toBe(image.plain.digest);
          expect(tap.exchanges.filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
        }
        const verified = await regshift(['store', 'verify', '--json'], { env: settings });
        expect(verified.json()).toEqual({ layers: 1, damaged: [] });
      } finally {
        for (const { stop } of replicas) await stop();
        await tap.stop();
      }
    });
  });
});
