import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { widestAccept } from '../../src/upstream/api/manifests.ts';
import { builderShapes } from '../support/builder-shapes.ts';
import { fileContent } from '../support/built-repository.ts';
import { clientPrograms } from '../support/clients/all.ts';
import type { Client } from '../support/clients/client.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { pushShape } from '../support/push-shape.ts';
import { treeOfShape } from '../support/push-tree.ts';
import { dockerPusher, type Pusher, pushers, schema1Pusher } from '../support/pushers.ts';
import { buildImage, type RealImage } from '../support/real-image.ts';
import { type Route, startRoute } from '../support/route.ts';
import { startTypeFront, type TypeFront } from '../support/type-front.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

const fronts = [
  {
    name: 'takes Docker’s types alone',
    takes: [schema1Signed, schema2, dockerList],
    answer: 'registry',
    stored: schema2,
    pushers: pushers.filter(({ name }) => !name.includes('v2s2')),
  },
  {
    name: 'takes OCI alone',
    takes: [ociManifest, ociIndex],
    answer: 'front',
    stored: ociManifest,
    pushers: [...pushers.filter(({ name }) => name.includes('v2s2')), schema1Pusher, dockerPusher],
  },
] as const;

describe.skipIf(requirePeers('docker-registry'))('docker-registry 2.8', () => {
  it('gives a blob of a repository as a manifest until it is deleted, as docs/pushes.md says', async () => {
    const registry = await startDockerRegistry({ deleteEnabled: true });
    try {
      const [manifest] = treeOfShape('attestations').manifests.slice(1);
      if (!manifest) throw new Error('no attestation');
      const { bytes, digest, mediaType } = manifest;
      const begun = await fetch(`${registry.url}/v2/kept/blobs/uploads/`, { method: 'POST' });
      const upload = new URL(begun.headers.get('location') ?? '', registry.url);
      upload.searchParams.set('digest', digest);
      const headers = { 'Content-Type': 'application/octet-stream' };
      const body = bytes.slice();
      expect((await fetch(upload, { method: 'PUT', headers, body })).status).toBe(201);
      const path = `${registry.url}/v2/kept/manifests/${digest}`;
      const look = () => fetch(path, { headers: { Accept: mediaType } });
      const found = await look();
      expect([found.status, found.headers.get('content-type')]).toEqual([200, mediaType]);
      expect(digestOf(new Uint8Array(await found.arrayBuffer()))).toBe(digest);
      expect((await fetch(path, { method: 'DELETE' })).status).toBe(202);
      expect((await look()).status).toBe(404);
    } finally {
      await registry.stop();
    }
  });
});

it.skipIf(requirePeers('docker-registry'))(
  'a refused push leaves no manifest that a client finds by HEAD before it pushes the image again',
  async () => {
    const registry = await startDockerRegistry();
    const route = await startRoute(registry.url, { REGSHIFT_PUSH_FORMAT: 'schema2' });
    try {
      const part = { digest: `sha256:${'5'.repeat(64)}`, size: 100 };
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifest,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...part },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...part }],
      });
      const path = `/v2/team/app/manifests/${digestOf(new TextEncoder().encode(manifest))}`;
      for (const url of [registry.url, `http://${route.relay.host}`]) {
        const headers = { 'Content-Type': ociManifest, Accept: ociManifest };
        const pushed = await fetch(url + path, { method: 'PUT', headers, body: manifest });
        const found = await fetch(url + path, { method: 'HEAD', headers });
        expect([pushed.status, found.status]).toEqual([400, 404]);
      }
    } finally {
      await route.stop();
      await registry.stop();
    }
  },
);

/** Clients that read each form of an image by its digest. */
const programs = clientPrograms.filter((each) => !requirePeers(...each.programs));

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci')).each(fronts)(
  'docker-registry behind a front that $name',
  ({ takes, answer, stored, pushers: own }) => {
    let home: string;
    let image: RealImage;
    let registry: DockerRegistry;
    let front: TypeFront;
    let route: Route;
    let clients: ReadonlyMap<string, Client>;
    beforeAll(async () => {
      // podman and buildah turn the path into a name, which must not have capital letters.
      home = join(tmpdir(), `regshift-push-forms-${randomUUID()}`);
      await mkdir(home);
      image = await buildImage(join(home, 'image'), 'amd64');
      registry = await startDockerRegistry({ deleteEnabled: true });
      front = await startTypeFront(registry.url, takes, answer);
      route = await startRoute(front.url);
      const started = programs.map(async ({ name, start }) => [name, await start()] as const);
      clients = new Map(await Promise.all(started));
    });
    afterAll(async () => {
      for (const client of clients?.values() ?? []) await client.stop();
      await route?.stop();
      await front?.stop();
      await registry?.stop();
      await rm(home, { recursive: true, force: true });
    });

    const repositoryOf = ({ name }: Pusher) => `pushed/${name.replace(/[^a-z0-9]+/g, '-')}`;

    const storedAs = async (repository: string) => {
      const response = await fetch(`${registry.url}/v2/${repository}/manifests/1.0`, {
        headers: { Accept: widestAccept },
      });
      await response.body?.cancel();
      return response.headers.get('content-type');
    };

    for (const pusher of own) {
      describe.skipIf(requirePeers(...pusher.programs))(`an image that ${pusher.name} pushes`, () => {
        const repository = repositoryOf(pusher);
        let digest: string | undefined;
        beforeAll(async () => {
          digest = (await pusher.push(image, `${route.relay.host}/${repository}:1.0`))?.trim();
        });

        it('is stored in the form that the front takes', async () => {
          // ctr imports an archive as the index that it has.
          expect(await storedAs(repository)).toBe(pusher.name.startsWith('ctr') ? dockerList : stored);
        });

        for (const { name } of programs) {
          it(`is pulled by ${name}, by tag`, async () => {
            const root = await clients.get(name)?.pull(`${route.relay.host}/${repository}:1.0`);
            expect(await readTree(root ?? '')).toEqual(image.files);
          });

          // containerd does not read schema 1, and dockerd no index whose entries have no platform, as in an archive.
          const isUnread =
            (name === 'containerd' && pusher === schema1Pusher) ||
            (name === 'dockerd' && pusher.name.startsWith('ctr'));
          it.skipIf(isUnread)(`is pulled by ${name} by the pushed digest, from another replica`, async () => {
            const again = await startRoute(front.url);
            try {
              const pushed = digest ?? (await digestPushed(route, repository));
              const root = await clients.get(name)?.pull(`${again.relay.host}/${repository}@${pushed}`);
              expect(await readTree(root ?? '')).toEqual(image.files);
            } finally {
              await again.stop();
            }
          });
        }
      });
    }
  },
);

const shapes = ['attestations', 'attestations with a subject', 'zstd of several frames'] as const;

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))(
  'shapes of BuildKit, pushed to docker-registry behind a front that takes Docker’s types alone',
  () => {
    let home: string;
    let registry: DockerRegistry;
    let front: TypeFront;
    let route: Route;
    let clients: ReadonlyMap<string, Client>;
    const digests = new Map<string, string>();
    const repositoryOf = (shape: string) => `shape/${shape.replaceAll(' ', '-')}`;
    beforeAll(async () => {
      home = join(tmpdir(), `regshift-push-shapes-${randomUUID()}`);
      await mkdir(home);
      registry = await startDockerRegistry({ deleteEnabled: true });
      front = await startTypeFront(registry.url, [schema1Signed, schema2, dockerList], 'registry');
      route = await startRoute(front.url);
      for (const shape of shapes) {
        const digest = await pushShape(`http://${route.relay.host}`, repositoryOf(shape), shape);
        digests.set(shape, digest);
      }
      const started = programs.map(async ({ name, start }) => [name, await start()] as const);
      clients = new Map(await Promise.all(started));
    });
    afterAll(async () => {
      for (const client of clients?.values() ?? []) await client.stop();
      await route?.stop();
      await front?.stop();
      await registry?.stop();
      await rm(home, { recursive: true, force: true });
    });

    const filesOf = (shape: string) => {
      const { files = [] } = builderShapes.find(({ name }) => name === shape) ?? {};
      return Object.fromEntries(
        files.map((file) => {
          const content = fileContent(file);
          return [file, `644 ${content.length} ${digestOf(content)}`] as const;
        }),
      );
    };

    for (const shape of shapes) {
      for (const { name } of programs) {
        it(`${shape}: pulled by ${name}, by tag`, async () => {
          const root = await clients.get(name)?.pull(`${route.relay.host}/${repositoryOf(shape)}:latest`);
          expect(await readTree(root ?? '')).toEqual(filesOf(shape));
        });

        // Docker 20.10 reads the OCI manifest that the digest names, and no zstd.
        it.skipIf(name === 'dockerd' && shape.startsWith('zstd'))(
          `${shape}: pulled by ${name} by the pushed digest, from another replica`,
          async () => {
            const again = await startRoute(front.url);
            try {
              const reference = `${again.relay.host}/${repositoryOf(shape)}@${digests.get(shape)}`;
              const root = await clients.get(name)?.pull(reference);
              expect(await readTree(root ?? '')).toEqual(filesOf(shape));
            } finally {
              await again.stop();
            }
          },
        );
      }
    }

    const statusOf = async (reference: string, method = 'GET', host = route.relay.host) => {
      const response = await fetch(
        `http://${host}/v2/${repositoryOf('attestations')}/manifests/${reference}`,
        {
          method,
          headers: { Accept: widestAccept },
        },
      );
      await response.body?.cancel();
      return response.status;
    };

    it('a garbage collection takes the pushed digest, and leaves the image', async () => {
      const config = join(home, 'collect.yml');
      const storage = { filesystem: { rootdirectory: registry.storage } };
      await writeFile(config, JSON.stringify({ version: '0.1', storage }));
      await runProgram('docker-registry', ['garbage-collect', config], home);
      const again = await startRoute(front.url);
      try {
        const { host } = again.relay;
        expect(await statusOf(digests.get('attestations') ?? '', 'GET', host)).toBe(404);
        expect(await statusOf('latest', 'GET', host)).toBe(200);
      } finally {
        await again.stop();
      }
    });

    it('a deletion of the pushed digest deletes the image', async () => {
      await pushShape(`http://${route.relay.host}`, repositoryOf('attestations'), 'attestations');
      const digest = digests.get('attestations') ?? '';
      expect(await statusOf(digest)).toBe(200);
      expect(await statusOf(digest, 'DELETE')).toBe(202);
      expect([await statusOf(digest), await statusOf('latest')]).toEqual([404, 404]);
    });
  },
);

/** The digest in the response to the push, where the program reports none. */
async function digestPushed({ relay }: Route, repository: string): Promise<string | undefined> {
  const pushes = relay.exchanges.filter(
    ({ method, path }) => method === 'PUT' && path.includes(`/v2/${repository}/manifests/`),
  );
  return pushes.at(-1)?.digest;
}
