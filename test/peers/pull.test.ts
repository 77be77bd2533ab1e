import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Client } from '../support/clients/client.ts';
import { describeEachClient, expectPulls, freshRelay } from '../support/clients/each.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { manifestTypes, type Relay } from '../support/relay.ts';
import { type Route, startRoute } from '../support/route.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/**
 * The media types of all manifests that a client gets with an image, by the pinned form. Each client here reads every
 * type, so without a pin it gets the stored form: only the wire shows which form it is.
 */
const given = {
  auto: {
    'real/oci': [ociManifest],
    'real/zstd': [ociManifest],
    'real/schema2': [schema2],
    'real/generic': [schema2],
    'real/index': [ociIndex, ociManifest],
    'real/list': [dockerList, schema2],
  },
  schema1: {
    'real/oci': [schema1Signed],
    'real/zstd': [schema1Signed],
    'real/schema2': [schema1Signed],
    'real/generic': [schema1Signed],
    'real/index': [schema1Signed],
    'real/list': [schema1Signed],
  },
  schema2: {
    'real/oci': [schema2],
    'real/zstd': [schema2],
    'real/schema2': [schema2],
    'real/generic': [schema2],
    'real/index': [dockerList, schema2],
    'real/list': [dockerList, schema2],
  },
} satisfies Record<string, Record<string, readonly string[]>>;

type Pin = keyof typeof given;
const pins = Object.keys(given) as Pin[];
const cases = pins.flatMap((pin) =>
  Object.entries(given[pin]).map(([repository, types]) => ({ pin, repository, types: answersOf(types) })),
);

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('pulled through the proxy', () => {
  let registry: RealRegistry;
  const routes: Route[] = [];
  const relays = new Map<Pin, Relay>();
  beforeAll(async () => {
    registry = await startRealRegistry();
    for (const pin of pins) {
      const route = await startRoute(registry.url, { REGSHIFT_FORMAT: pin });
      routes.push(route);
      relays.set(pin, route.relay);
    }
  });
  afterAll(async () => {
    for (const route of routes) await route.stop();
    await registry?.stop();
  });

  describeEachClient((client) => {
    it.each(cases)('$pin: $repository, by tag and by digest', async ({ pin, repository, types }) => {
      await expectPulls(client(), freshRelay(relays, pin), repository, { files: registry.files, types });
    });

    it.each(pins)('%s: all tags of a repository', async (pin) => {
      const relay = freshRelay(relays, pin);
      const roots = await pullAll(client(), `${relay.host}/real/tags`);
      const trees = roots.map(async ([tag, root]) => [tag, await readTree(root)] as const);
      expect(Object.fromEntries(await Promise.all(trees))).toEqual(registry.tagged);
      const types = pin === 'auto' ? [ociManifest, schema2] : given[pin]['real/oci'];
      expect(manifestTypes(relay)).toEqual(answersOf(types));
    });
  });
});

/** Pulls all tags of a repository; ctr has no command for that and pulls them one by one. */
async function pullAll(client: Client, repository: string): Promise<[tag: string, root: string][]> {
  if (client.pullAll) return [...(await client.pullAll(repository))];
  const roots: [string, string][] = [];
  for (const tag of ['first', 'second']) roots.push([tag, await client.pull(`${repository}:${tag}`)]);
  return roots;
}

function answersOf(types: readonly string[]): string[] {
  return types.map((type) => `200 ${type}`).toSorted();
}
