import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { type Route, startRoute } from '../support/route.ts';

/** The program of Debian 12 (20.10), whose `docker manifest` asks the registry itself, without an engine. */
const dockerOfDebian = '/usr/bin/docker';

describe.skipIf(requirePeers('docker-registry', 'docker', 'skopeo', 'umoci'))(
  'docker manifest inspect',
  () => {
    let home: string;
    let registry: RealRegistry;
    let route: Route;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'regshift-docker-manifest-'));
      registry = await startRealRegistry();
      route = await startRoute(registry.url);
    });
    afterAll(async () => {
      await route?.stop();
      await registry?.stop();
      await rm(home, { recursive: true, force: true });
    });

    const inspect = async (host: string, repository: string) =>
      JSON.parse(
        await runProgram(
          dockerOfDebian,
          ['manifest', 'inspect', '--insecure', `${host}/${repository}:latest`],
          home,
        ),
      );

    it.each([
      ['real/oci', mediaTypes.schema2],
      ['real/zstd', mediaTypes.schema2],
      ['real/schema2', mediaTypes.schema2],
      ['real/index', mediaTypes.dockerList],
      ['real/list', mediaTypes.dockerList],
    ])('shows %s', async (repository, type) => {
      expect((await inspect(route.relay.host, repository)).mediaType).toBe(type);
    });

    it.each(['real/oci', 'real/index'])('does not show %s at the registry itself', async (repository) => {
      await expect(inspect(new URL(registry.url).host, repository)).rejects.toThrow('no such manifest');
    });
  },
);
