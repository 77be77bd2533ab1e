import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { builderShapes } from '../support/builder-shapes.ts';
import { builtRepository, fileContent } from '../support/built-repository.ts';
import { buildah } from '../support/clients/buildah.ts';
import type { Client, ClientProgram } from '../support/clients/client.ts';
import { containerd } from '../support/clients/containerd.ts';
import { buildByDocker, docker } from '../support/clients/docker.ts';
import { podman } from '../support/clients/podman.ts';
import { skopeo } from '../support/clients/skopeo.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { readTree } from '../support/file-tree.ts';
import { type Listening, listen } from '../support/listen.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushShape } from '../support/push-shape.ts';

/** The repositories of this file, with the shape of each one's `latest`. */
const shapes = {
  'shape/zstd-type': 'schema 2 with Docker’s zstd type',
  'shape/mixed': 'schema 2 with OCI types',
  'shape/nested': 'nested',
  'shape/both': 'both compressions',
  'shape/short': 'apko',
  'shape/zstd': 'zstd of several frames',
} as const;
type Repository = keyof typeof shapes;

function shapeOf(repository: Repository) {
  const found = builderShapes.find(({ name }) => name === shapes[repository]);
  if (!found) throw new Error(`there is no shape ${shapes[repository]}`);
  return found;
}

/** The shapes that a program cannot pull from the registry itself, with its words. */
const faults: readonly (readonly [ClientProgram, Readonly<Partial<Record<Repository, RegExp>>>])[] = [
  ...[skopeo, podman, buildah].map(
    (program) =>
      [
        program,
        {
          'shape/zstd-type': /unsupported docker v2s2 media type/,
          'shape/mixed': /unsupported docker v2s2 media type/,
          'shape/nested': /manifest list/,
        },
      ] as const,
  ),
  [containerd, { 'shape/zstd-type': /no processor for media-type/ }],
  [
    docker,
    {
      'shape/zstd-type': /invalid tar header/,
      'shape/nested': /unsupported manifest format|no matching manifest/,
      'shape/both': /invalid tar header/,
    },
  ],
];

/** The words of each program for an index without an image for it. */
const cacheWords = /no matching manifest|no match for platform|not found|manifest unknown/;

/** Serves the index of a BuildKit cache, which docker-registry refuses: it holds the layers as blobs. */
async function serveCacheIndex(): Promise<Listening> {
  const built = builtRepository('shape/cache');
  const cache = builderShapes.find(({ name }) => name === 'a cache index');
  if (!cache) throw new Error('there is no cache index');
  const script = built.serve(cache.add(built));
  const server = createServer(async ({ method = 'GET', url = '/' }, response) => {
    const href = `http://cache.test${url}`;
    const answer = (await script(new Request(href, { method }), new URL(href))) ?? new Response('{}');
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(method === 'HEAD' ? undefined : new Uint8Array(await answer.arrayBuffer()));
  });
  return listen(server);
}

describe.skipIf(requirePeers('docker-registry'))('shapes of images that some programs cannot pull', () => {
  let registry: DockerRegistry;
  let proxy: RunningProxy;
  let cache: Listening;
  let proxyOfCache: RunningProxy;
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-shapes-'));
    registry = await startDockerRegistry();
    proxy = await startProxy(registry.url);
    cache = await serveCacheIndex();
    proxyOfCache = await startProxy(cache.url);
    for (const [repository, shape] of Object.entries(shapes))
      await pushShape(registry.url, repository, shape);
  });
  afterAll(async () => {
    await proxyOfCache?.stop();
    await cache?.stop();
    await proxy?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const at = ({ port }: { readonly port: number }, repository: string) =>
    `127.0.0.1:${port}/${repository}:latest`;

  /** Expects the file of each layer, and nothing else but what a build added. */
  async function expectFiles(root: string, repository: Repository): Promise<void> {
    const { added: _, ...files } = await readTree(root);
    const wanted = (shapeOf(repository).files ?? []).map((file) => {
      const content = fileContent(file);
      return [file, `644 ${content.length} ${digestOf(content)}`] as const;
    });
    expect(files).toEqual(Object.fromEntries(wanted));
  }

  describe.each(faults)('$name', (program, words) => {
    describe.skipIf(requirePeers(...program.programs))('by the real program', () => {
      let client: Client;
      beforeAll(async () => {
        client = await program.start();
      });
      afterAll(() => client?.stop());

      it.each(Object.entries(words) as [Repository, RegExp][])(
        '%s fails at the registry with %s, and works through the proxy',
        async (repository, expected) => {
          await expect(client.pull(at(registry, repository))).rejects.toThrow(expected);
          await expectFiles(await client.pull(at(proxy, repository)), repository);
        },
      );

      it('says in its own words that the index of a BuildKit cache has no image, as at the registry', async () => {
        for (const server of [cache, proxyOfCache]) {
          await expect(client.pull(at(server, 'shape/cache'))).rejects.toThrow(cacheWords);
        }
      });

      it('gets every layer of an image with a short history', async () => {
        await expectFiles(await client.pull(at(proxy, 'shape/short')), 'shape/short');
      });
    });
  });

  describe.skipIf(requirePeers('dockerd', 'docker', 'skopeo', 'umoci'))(
    'docker build, from a base with zstd layers',
    () => {
      it.each(['classic', 'BuildKit'] as const)(
        '%s fails at the registry, and works through the proxy',
        async (by) => {
          await expect(buildByDocker(at(registry, 'shape/zstd'), by, home)).rejects.toThrow(
            /invalid tar header/,
          );
          await expectFiles(await buildByDocker(at(proxy, 'shape/zstd'), by, home), 'shape/zstd');
        },
      );
    },
  );
});
