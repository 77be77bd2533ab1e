import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { pushAgain } from '../support/clients/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers } from '../support/programs.ts';
import { pushWithZstdLayers } from '../support/push-remade.ts';
import { buildImage, type RealImage } from '../support/real-image.ts';
import { type Route, startRoute } from '../support/route.ts';
import { earlyPushers } from '../support/simulators/all.ts';
import { pullToKeep, pushKept } from '../support/simulators/early-docker-push.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';
import { unpackByUmoci } from '../support/umoci.ts';

/** Images that were pulled through the proxy are pushed through it, though no registry has some of their parts. */
describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('pulled and pushed again', () => {
  let home: string;
  let image: RealImage;
  let registry: DockerRegistry;
  let route: Route;
  beforeAll(async () => {
    home = join(tmpdir(), `regshift-made-${randomUUID()}`);
    await mkdir(home);
    image = await buildImage(join(home, 'image'), 'amd64');
    registry = await startDockerRegistry();
    route = await startRoute(registry.url);
  });
  afterAll(async () => {
    await route?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const direct = () => `127.0.0.1:${registry.port}`;

  /** Stores the image as OCI, gzip in `<name>/gzip` and zstd in `<name>/zstd`: each test has separate repositories. */
  async function stored(name: string): Promise<void> {
    const target = `docker://${direct()}/${name}/gzip:latest`;
    await skopeoCopy(home, `oci:${image.layout}:${image.tag}`, target, '--format', 'oci');
    await pushWithZstdLayers(registry.url, `${name}/gzip`, `${name}/zstd`);
  }

  /** Checks that the registry itself has the whole image. */
  async function expectWhole(...references: readonly string[]): Promise<void> {
    for (const reference of references) {
      const source = `docker://${direct()}/${reference}`;
      const root = await unpackByUmoci(source, home);
      expect([reference, await readTree(root)]).toEqual([reference, image.files]);
    }
  }

  const lacksEmptyLayer = async (repository: string) => {
    const path = `${registry.url}/v2/${repository}/blobs/${emptyLayer.digest}`;
    expect((await fetch(path, { method: 'HEAD' })).status).toBe(404);
  };

  describe.each(earlyPushers)('by $name, request by request', (engine) => {
    it.each(['gzip', 'zstd'])('%s layers, under another tag and in another repository', async (packing) => {
      const name = engine.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
      await stored(name);
      const repository = `${name}/${packing}`;
      await lacksEmptyLayer(repository);
      const at = { port: route.relay.port, repository };
      const kept = await pullToKeep(engine, { ...at, reference: 'latest' });
      expect(kept.entries.some(({ blobSum }) => blobSum === emptyLayer.digest)).toBe(true);
      const requests = await pushKept(engine, kept, { ...at, reference: 'again' });
      // The engine uploads nothing: the registry has every part, or the proxy uploads it.
      expect(requests.filter((each) => each.startsWith('POST'))).toEqual([]);
      await pushKept(engine, kept, { ...at, repository: `${repository}-moved`, reference: 'latest' });
      await expectWhole(`${repository}:again`, `${repository}-moved:latest`);
    });
  });

  it('by skopeo copy --format v2s1, under another tag and in another repository', async () => {
    await stored('skopeo');
    const at = `docker://${route.relay.host}/skopeo/gzip`;
    await lacksEmptyLayer('skopeo/gzip');
    for (const target of [`${at}:v1`, `${at}-moved:v1`]) {
      await skopeoCopy(home, `${at}:latest`, target, '--format', 'v2s1');
    }
    await expectWhole('skopeo/gzip:v1', 'skopeo/gzip-moved:v1');
  });

  it.skipIf(requirePeers('dockerd', 'docker', 'unshare'))(
    'by Docker 20.10 with zstd layers, under another tag and in another repository',
    async () => {
      await stored('docker');
      const at = `${route.relay.host}/docker/zstd`;
      await pushAgain(`${at}:latest`, `${at}:again`, `${at}-moved:latest`);
      await expectWhole('docker/zstd:again', 'docker/zstd-moved:latest');
    },
  );
});
