import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';
import { simulator, simulators } from '../support/simulators/all.ts';
import type { Simulator } from '../support/simulators/simulator.ts';
import { habits } from '../support/upstreams/all.ts';
import { getsOfManifests } from '../support/upstreams/docker-hub.ts';
import {
  expectIdentity,
  expectNoLeak,
  expectPulls,
  expectSample,
} from '../support/upstreams/expectations.ts';
import { forget, type Habit, type Upstream } from '../support/upstreams/habit.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

interface Form {
  readonly sample: string;
  /** The number of stored manifests that the pull reads. */
  readonly pulls: number;
  /** The media types of the manifests that clients get: up to 1.9, later ones that do not read OCI, and those that do. */
  readonly early: readonly string[];
  readonly later: readonly string[];
  readonly modern: readonly string[];
  /** The media types for `later` clients in front of a registry that counts pulls. */
  readonly counted?: readonly string[];
}

const forms: readonly Form[] = [
  { sample: 'sample/generic', pulls: 1, early: [schema1Signed], later: [schema2], modern: [schema2] },
  {
    sample: 'sample/schema2-empty-layers',
    pulls: 1,
    early: [schema1Signed],
    later: [schema2],
    modern: [schema2],
  },
  {
    sample: 'sample/list',
    pulls: 2,
    early: [schema1Signed],
    later: [dockerList, schema2],
    modern: [dockerList, schema2],
  },
  { sample: 'sample/oci', pulls: 1, early: [schema1Signed], later: [schema2], modern: [ociManifest] },
  { sample: 'sample/oci-zstd', pulls: 1, early: [schema1Signed], later: [schema2], modern: [ociManifest] },
  {
    sample: 'sample/index',
    pulls: 2,
    early: [schema1Signed],
    later: [dockerList, schema2],
    modern: [ociIndex, ociManifest],
    counted: [schema2],
  },
];

function typesFor(client: string, { countsPulls }: Habit, form: Form): readonly string[] {
  if (/^Docker 1\.[6-9]\./.test(client)) return form.early;
  // 18.06 and 18.09 read OCI, and 19.03.0 to 19.03.4 do not.
  if (!/^Docker 1/.test(client) || client === 'Docker 18.09') return form.modern;
  return (countsPulls && form.counted) || form.later;
}

interface Cell {
  readonly client: Simulator;
  readonly form: Form;
  readonly architecture: string;
}

const onAmd64 = simulators.flatMap((client) =>
  forms.map((form): Cell => ({ client, form, architecture: 'amd64' })),
);
/** One client of each family, whose image is not the first of a list: each family selects by its own rules. */
const onArm64 = ['Docker 1.9.1', 'Docker 17.05', 'Docker 20.10', 'skopeo 1.9', 'containerd 1.6'].flatMap(
  (name) =>
    forms
      .filter(({ pulls }) => pulls > 1)
      .map((form): Cell => ({ client: simulator(name), form, architecture: 'arm64' })),
);
const cells = [...onAmd64, ...onArm64].map((cell) => ({
  ...cell,
  name: cell.client.name,
  sample: cell.form.sample,
}));

describe.skipIf(requirePeers('docker-registry'))('through the habits of registries', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples: forms.map(({ sample }) => sample) });
  });
  afterAll(() => registry?.stop());

  describe.each(habits)('$name', (habit) => {
    let upstream: Upstream;
    beforeAll(async () => {
      upstream = await habit.start(registry.url);
    });
    afterAll(() => upstream?.stop());

    it.each(cells)('$name on $architecture pulls $sample', async ({ client, form, architecture }) => {
      const proxy = await startProxy(upstream.url);
      const { port } = proxy;
      const { login } = habit;
      const target = { port, repository: form.sample, reference: 'latest', login, architecture };
      try {
        forget(upstream);
        const first = await client.pull(target);
        expectSample(first, form.sample, architecture);
        expect(first.types).toEqual(typesFor(client.name, habit, form));
        if (habit.countsPulls) expectPulls(upstream, form.pulls);
        expectNoLeak(upstream, habit);
        expectIdentity(upstream);

        forget(upstream);
        const second = await client.pull(target);
        const byDigest = await client.pull({ ...target, reference: first.digest });
        for (const pulled of [second, byDigest]) {
          expectSample(pulled, form.sample, architecture);
          expect(pulled.digest).toBe(first.digest);
          expect(pulled.types).toEqual(first.types);
        }
        if (habit.countsPulls) expect(getsOfManifests(upstream.registry)).toEqual([]);
        expectNoLeak(upstream, habit);
        expectIdentity(upstream);
      } finally {
        await proxy.stop();
      }
    });
  });
});
