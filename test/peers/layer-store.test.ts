import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestHex, digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { registryTag } from '../../src/layers/store/stored-blobs.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import type { BareWorkerd } from '../support/bare-workerd.ts';
import { regshift } from '../support/cli.ts';
import { withEngine } from '../support/clients/docker.ts';
import { startCuttingRelay } from '../support/cutting-relay.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type LargeImage, pushLargeImage, pushLayerImage } from '../support/large-image.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { pushImage } from '../support/push.ts';
import { rawRequest } from '../support/raw-http.ts';
import { type Relay, startRelay } from '../support/relay.ts';

const MiB = 2 ** 20;

/** The headers of Docker 1.12, which differ from those of 1.13 in the version alone. */
const docker112 = manifestRequestHeaders['Docker 1.13.1'].map(
  ([name, value]) => [name, value.replaceAll('1.13.1', '1.12.6')] as const,
);

/** Requests a manifest or a blob as Docker 1.12 does. */
function get(port: number, path: string, range?: string) {
  const headers = [...docker112, ...(range ? ([['Range', range]] as const) : [])];
  return rawRequest({ port, method: 'GET', path, headers, deadline: 60_000 });
}

/** Requests a part of a blob. The boundary of several ranges differs each time. */
async function partOf(url: string, range: string) {
  const response = await fetch(url, { headers: { Range: range } });
  const type = response.headers.get('content-type') ?? '';
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const boundary = /boundary=(\w+)/.exec(type)?.[1] ?? ' ';
  return {
    status: response.status,
    range: response.headers.get('content-range'),
    isMultipart: type.startsWith('multipart/byteranges'),
    body: body.replaceAll(boundary, 'boundary'),
  };
}

/** Pulls the layer of an image, as the first client without zstd. */
async function pullPlain(port: number, repository: string, { plain }: LargeImage): Promise<void> {
  const manifest = await get(port, `/v2/${repository}/manifests/latest`);
  expect(manifest.status).toBe(200);
  const layer = await fetch(`http://127.0.0.1:${port}${plain.path}`);
  expect([layer.status, digestOf(new Uint8Array(await layer.arrayBuffer()))]).toEqual([200, plain.digest]);
}

describe.skipIf(requirePeers('docker-registry'))('a folder with the layers of a docker-registry', () => {
  let registry: DockerRegistry;
  let tap: Relay;
  let home: string;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    tap = await startRelay(registry.url);
    home = await mkdtemp(join(tmpdir(), 'regshift-layer-store-'));
  });
  afterAll(async () => {
    await tap?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const storeIn = (name: string, bytes?: number) => ({
    REGSHIFT_STORE: `file://${join(home, name)}`,
    ...(bytes === undefined ? {} : { REGSHIFT_STORE_BYTES: String(bytes) }),
  });
  const fileOf = (name: string, { plain }: LargeImage) => {
    const hex = digestHex(plain.digest as never);
    return join(
      home,
      name,
      'blobs',
      'sha256',
      hex.slice(0, 2),
      `${hex}.${registryTag(`http://${tap.host}`)}`,
    );
  };
  const layerRequests = ({ layer }: LargeImage) =>
    tap.exchanges.filter((each) => each.method === 'GET' && each.status === 200 && each.path === layer.path)
      .length;

  it('answers each kind of range as docker-registry does, also for a layer in the folder', async () => {
    const { layer } = await pushLargeImage(registry.url, 'ranges/app', 200_000, 'zstd');
    const hex = digestHex(layer.digest as never);
    const proxy = await startProxy(registry.url, { ...storeIn('ranges'), REGSHIFT_STORE_BLOBS: 'all' });
    const url = `http://127.0.0.1:${proxy.port}`;
    try {
      await (await fetch(`${url}${layer.path}`)).arrayBuffer();
      const kept = join(home, 'ranges/blobs/sha256', hex.slice(0, 2), `${hex}.${registryTag(registry.url)}`);
      await vi.waitFor(() => access(kept));
      for (const range of ['bytes=0-9,100-120', 'bytes=0-5,3-8,-4', 'bytes=10-19', 'bytes=-40']) {
        const [stored, proxied] = await Promise.all(
          [registry.url, url].map((each) => partOf(`${each}${layer.path}`, range)),
        );
        expect(proxied, range).toEqual(stored);
      }
    } finally {
      await proxy.stop();
    }
  });

  it('gives a layer to no reader of a repository that lacks it, although docker-registry takes a manifest that names it', async () => {
    const { layer, plain } = await pushLargeImage(registry.url, 'alice/app', 200_000, 'zstd');
    const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const rootfs = { type: 'layers', diff_ids: [plain.digest] };
    const config = json({ os: 'linux', architecture: 'amd64', config: {}, rootfs, history: [{}] });
    const { ociConfig, ociLayerZstd, ociManifest } = mediaTypes;
    const manifest = json({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: ociConfig, digest: digestOf(config), size: config.length },
      layers: [
        {
          ...{ mediaType: ociLayerZstd, digest: layer.digest, size: layer.bytes.length },
          urls: ['https://elsewhere.example/layer'],
        },
      ],
    });
    const { port, stop } = await startNodeProcess({ REGSHIFT_UPSTREAM: registry.url, ...storeIn('foreign') });
    try {
      await pullPlain(port, 'alice/app', { layer, plain });
      await pushImage(registry.url, 'bob/app', 'latest', {
        blobs: [config],
        manifests: [{ bytes: manifest, mediaType: ociManifest }],
      });
      const statuses = await Promise.all(
        [
          `/v2/bob/app/blobs/${layer.digest}`,
          '/v2/bob/app/manifests/latest',
          `/v2/bob/app/blobs/${plain.digest}`,
        ].map(async (path) => (await get(port, path)).status),
      );
      expect(statuses).toEqual([404, 404, 404]);
      expect((await get(port, plain.path)).status).toBe(200);
    } finally {
      await stop();
    }
  });

  describe.skipIf(requirePeers('dockerd', 'docker', 'unshare'))('Docker 20.10', () => {
    it('resumes a layer whose connection is cut, by Range out of the store', async () => {
      const files = tar([{ kind: 'file', path: 'random', content: randomBytes(6 * MiB) }]);
      const image = await pushLayerImage(registry.url, 'team/cut', files, 'zstd');
      const proxy = await startProxy(`http://${tap.host}`, storeIn('cut'));
      const relay = await startCuttingRelay(proxy.port, image.plain.path, 2 * MiB, 2);
      try {
        await withEngine([], async (run) => {
          const name = `127.0.0.1:${relay.port}/team/cut:latest`;
          await run('pull', '--quiet', name);
          expect(await run('image', 'inspect', '--format', '{{index .RootFS.Layers 0}}', name)).toContain(
            image.plain.digest,
          );
        });
        expect(relay.ranges[0]).toBeUndefined();
        expect(relay.ranges.slice(1)).toEqual([
          expect.stringMatching(/^bytes=\d{7}-$/),
          expect.stringMatching(/^bytes=\d{7}-$/),
        ]);
        // The conversion has read the layer once, and nobody else has.
        expect(layerRequests(image)).toBe(1);
      } finally {
        await relay.stop();
        await proxy.stop();
      }
    });
  });

  it('resumes a layer for requests of Docker 1.12', async () => {
    const image = await pushLargeImage(registry.url, 'team/old', 6 * MiB, 'zstd');
    const proxy = await startProxy(`http://${tap.host}`, storeIn('old'));
    try {
      await pullPlain(proxy.port, 'team/old', image);
      const rest = await get(proxy.port, image.plain.path, `bytes=${4 * MiB}-`);
      expect(rest.header('Content-Range')).toBe(`bytes ${4 * MiB}-${6 * MiB - 1}/${6 * MiB}`);
      expect(digestOf(rest.body)).toBe(digestOf(image.plain.bytes.subarray(4 * MiB)));
      expect(layerRequests(image)).toBe(1);
    } finally {
      await proxy.stop();
    }
  });

  it('stays right when a process is killed at any moment of a write', async () => {
    const images = await Promise.all(
      Array.from({ length: 6 }, (_, each) =>
        pushLargeImage(registry.url, `team/killed-${each}`, 24 * MiB, 'zstd'),
      ),
    );
    const start = () => startNodeProcess({ REGSHIFT_UPSTREAM: registry.url, ...storeIn('killed') });
    for (const [each] of images.entries()) {
      const running = await start();
      const asked = get(running.port, `/v2/team/killed-${each}/manifests/latest`).catch(() => undefined);
      await sleep(40 + 60 * each);
      await running.stop();
      await asked;
    }
    const last = await start();
    try {
      for (const [each, image] of images.entries()) await pullPlain(last.port, `team/killed-${each}`, image);
    } finally {
      await last.stop();
    }
    const verified = await regshift(['store', 'verify', '--json'], { env: storeIn('killed') });
    expect(verified.json()).toMatchObject({ damaged: [] });
  });

  it('is shared by two processes, also while one of them evicts what the other reads', async () => {
    const images = await Promise.all(
      Array.from({ length: 8 }, (_, each) =>
        pushLargeImage(registry.url, `team/both-${each}`, 4 * MiB, 'zstd'),
      ),
    );
    const running: BareWorkerd[] = [];
    try {
      // Room for four of eight layers.
      const settings = { REGSHIFT_UPSTREAM: registry.url, ...storeIn('both', 17 * MiB) };
      for (const _ of [1, 2]) running.push(await startNodeProcess(settings));
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(
          running.map(async ({ port }, process) => {
            for (let each = 0; each < images.length; each += 1) {
              const chosen = process === 0 ? each : images.length - 1 - each;
              const image = images[chosen];
              if (image) await pullPlain(port, `team/both-${chosen}`, image);
            }
          }),
        );
      }
      const info = await regshift(['store', 'info', '--json'], { env: storeIn('both', 17 * MiB) });
      expect(info.json<{ bytes: number }>().bytes).toBeLessThanOrEqual(2 * 17 * MiB);
      const verified = await regshift(['store', 'verify', '--json'], { env: storeIn('both', 17 * MiB) });
      expect(verified.json()).toMatchObject({ damaged: [] });
    } finally {
      for (const { stop } of running) await stop();
    }
  });

  describe.skipIf(requirePeers('mount', 'umount'))('on a full disk', () => {
    it('gives every layer all the same, and makes room for the next one', async () => {
      const folder = join(home, 'full');
      await mkdir(folder);
      await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', folder], home);
      const proxy = await startProxy(`http://${tap.host}`, storeIn('full'));
      try {
        const [first, second, third] = [
          await pushLargeImage(registry.url, 'team/full-1', 6 * MiB, 'zstd'),
          await pushLargeImage(registry.url, 'team/full-2', 6 * MiB, 'zstd'),
          await pushLargeImage(registry.url, 'team/full-3', 32 * MiB, 'zstd'),
        ];
        await pullPlain(proxy.port, 'team/full-1', first);
        await vi.waitFor(async () =>
          expect(await readdir(join(fileOf('full', first), '..'))).toHaveLength(1),
        );
        // The second one does not fit beside the first, and the third one does not fit at all.
        await pullPlain(proxy.port, 'team/full-2', second);
        await pullPlain(proxy.port, 'team/full-3', third);
        await vi.waitFor(
          async () => {
            await pullPlain(proxy.port, 'team/full-2', second);
            expect(await readdir(join(fileOf('full', second), '..')).catch(() => [])).toHaveLength(1);
          },
          { timeout: 20_000, interval: 1_000 },
        );
        expect(await readdir(join(folder, 'incoming'))).toEqual([]);
      } finally {
        await proxy.stop();
        await runProgram('umount', [folder], home);
      }
    });
  });

  it('filled with wrong bytes of the right length is cleaned by regshift store verify', async () => {
    const image = await pushLargeImage(registry.url, 'team/wrong', MiB, 'zstd');
    const proxy = await startProxy(`http://${tap.host}`, storeIn('wrong'));
    try {
      await pullPlain(proxy.port, 'team/wrong', image);
      await vi.waitFor(async () => expect(await readdir(join(fileOf('wrong', image), '..'))).toHaveLength(1));
      await writeFile(fileOf('wrong', image), new Uint8Array(MiB));
      const found = await regshift(['store', 'verify', '--json'], { env: storeIn('wrong') });
      expect(found.code).toBe(1);
      expect(found.json()).toMatchObject({ damaged: [{ digest: image.plain.digest }] });
      await pullPlain(proxy.port, 'team/wrong', image);
    } finally {
      await proxy.stop();
    }
  });
});
