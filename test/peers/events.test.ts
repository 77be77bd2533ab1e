import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { freePort } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushWithZstdLayers } from '../support/push-remade.ts';
import { buildImage, pushImageAs, type RealImage } from '../support/real-image.ts';
import { type Relay, startRelay } from '../support/relay.ts';

const secret = 'the-secret-of-a-test-with-32-chars';
const clients: readonly OldClient[] = ['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10'];
const made = 'an image was made ahead of its first pull';

interface LayersOf {
  readonly fsLayers?: readonly { readonly blobSum: string }[];
  readonly layers?: readonly { readonly digest: string }[];
}

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))(
  'docker-registry notifies regshift',
  () => {
    let directory: string;
    let image: RealImage;
    let registry: DockerRegistry;
    /** Between regshift and the registry. */
    let relay: Relay;
    let proxy: RunningProxy;
    const lines: { readonly message: string; readonly facts: Readonly<Record<string, unknown>> }[] = [];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'regshift-events-'));
      image = await buildImage(join(directory, 'image'), 'amd64');
      const port = await freePort();
      registry = await startDockerRegistry({
        deleteEnabled: true,
        notifications: {
          url: `http://127.0.0.1:${port}/events`,
          headers: { Authorization: `Bearer ${secret}` },
        },
      });
      relay = await startRelay(registry.url);
      const variables = {
        PORT: String(port),
        REGSHIFT_EVENTS_SECRET: secret,
        REGSHIFT_STORE: `file://${join(directory, 'store')}`,
      };
      proxy = await startProxy(`http://${relay.host}`, variables, (_, message, facts = {}) => {
        lines.push({ message, facts });
      });
    });
    afterAll(async () => {
      await proxy?.stop();
      await relay?.stop();
      await registry?.stop();
      await rm(directory, { recursive: true, force: true });
    });

    const readyFor = (repository: string, tag: string) => () => {
      const found = lines.filter(({ message, facts }) => message === made && facts.repository === repository);
      expect(found.filter(({ facts }) => facts.tag === tag).map(({ facts }) => facts.client)).toEqual(
        expect.arrayContaining(['docker-1.9', 'docker-1.13', 'docker-20.10']),
      );
    };

    async function get(path: string, client: OldClient): Promise<Uint8Array> {
      const headers = new Headers();
      for (const [name, value] of manifestRequestHeaders[client]) {
        if (!/^(connection|accept-encoding)$/i.test(name)) headers.append(name, value);
      }
      // Without one, `fetch` sends a wildcard; an empty one counts as none.
      if (!headers.has('accept')) headers.set('accept', '');
      const response = await fetch(`http://127.0.0.1:${proxy.port}${path}`, { headers });
      expect(response.status, path).toBe(200);
      return new Uint8Array(await response.arrayBuffer());
    }

    /** Pulls the manifest, and all its layers. */
    async function pull(name: string, client: OldClient): Promise<void> {
      const bytes = await get(`/v2/${name}/manifests/latest`, client);
      const { fsLayers = [], layers = [] } = JSON.parse(new TextDecoder().decode(bytes)) as LayersOf;
      const digests = new Set([
        ...fsLayers.map(({ blobSum }) => blobSum),
        ...layers.map(({ digest }) => digest),
      ]);
      expect(digests.size).toBeGreaterThan(0);
      for (const digest of digests) {
        expect(digestOf(await get(`/v2/${name}/blobs/${digest}`, client))).toBe(digest);
      }
    }

    it('of zstd images, and their first pulls convert nothing and read no layer of the registry', async () => {
      await pushImageAs(image, 'oci', `${new URL(registry.url).host}/real/oci:latest`);
      await pushWithZstdLayers(registry.url, 'real/oci', 'real/zstd');
      await vi.waitFor(readyFor('real/zstd', 'latest'), { timeout: 25_000, interval: 100 });
      relay.forget();
      for (const client of clients) await pull('real/zstd', client);
      const asked = relay.exchanges.map(({ method, path }) => `${method} ${path}`);
      expect(asked.filter((each) => !each.startsWith('HEAD '))).toEqual([]);
    });

    it('of a moved tag, which regshift sees at once', async () => {
      const host = new URL(registry.url).host;
      await pushImageAs(image, 'oci', `${host}/real/moved:latest`);
      await vi.waitFor(readyFor('real/moved', 'latest'), { timeout: 25_000, interval: 100 });
      const before = await get('/v2/real/moved/manifests/latest', 'Docker 20.10');
      lines.length = 0;
      await pushWithZstdLayers(registry.url, 'real/oci', 'real/moved');
      await vi.waitFor(readyFor('real/moved', 'latest'), { timeout: 25_000, interval: 100 });
      const after = await get('/v2/real/moved/manifests/latest', 'Docker 20.10');
      expect(digestOf(after)).not.toBe(digestOf(before));
    });
  },
);
