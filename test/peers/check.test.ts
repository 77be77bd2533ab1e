import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { regshift } from '../support/cli.ts';
import { describeEachClient } from '../support/clients/each.ts';
import { imageOfLayers } from '../support/many-layers.ts';
import { requirePeers } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';

/** The name of each program of `describeEachClient` in `regshift check`, with the version of Debian 12. */
const names: Readonly<Record<string, string>> = {
  skopeo: 'skopeo-1.9',
  containerd: 'containerd-1.6',
  podman: 'podman-4.3',
  dockerd: 'docker-20.10',
};

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('verdicts and real clients', () => {
  let registry: RealRegistry;
  let host: string;
  beforeAll(async () => {
    registry = await startRealRegistry();
    host = new URL(registry.url).host;
    for (const count of [125, 126])
      await pushImage(registry.url, `real/layers-${count}`, 'latest', imageOfLayers(count));
  });
  afterAll(() => registry?.stop());

  describeEachClient((client) => {
    it.each(['oci', 'zstd', 'schema2', 'generic', 'index', 'list', 'layers-125', 'layers-126'])(
      'real/%s straight from docker-registry: the verdict is what happens',
      async (image) => {
        const name = expect.getState().currentTestName ?? '';
        const [, program = ''] = /by (\w+)/.exec(name) ?? [];
        const id = names[program] ?? '';
        const reference = `${host}/real/${image}:latest`;
        const { code } = await regshift(['check', reference, '--clients', id]);
        const pulled = await client()
          .pull(reference)
          .then(
            () => 0,
            () => 1,
          );
        expect({ id, code }).toEqual({ id, code: pulled });
      },
    );
  });

  it('judges the manifest that the registry converts for a client without Accept', async () => {
    // docker-registry 2.8 makes schema 1 of schema 2, and refuses OCI.
    const answer = async (image: string) => {
      const { json } = await regshift([
        'check',
        `${host}/real/${image}`,
        '--clients',
        'docker-1.9',
        '--json',
      ]);
      return json<{
        images: { clients: { works: boolean; obstacle?: { kind: string; reason: string } }[] }[];
      }>().images[0]?.clients[0];
    };
    expect(await answer('schema2')).toMatchObject({ works: true });
    expect(await answer('list')).toMatchObject({ works: true });
    expect(await answer('oci')).toMatchObject({
      works: false,
      obstacle: {
        kind: 'form',
        stored: 'oci',
        evidence: expect.arrayContaining([expect.stringContaining('reads schema1 alone')]),
      },
    });
  });
});
