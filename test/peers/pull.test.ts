import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { clientPrograms } from '../support/clients/all.ts';
import type { Client } from '../support/clients/client.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { manifestAnswers, manifestTypes, type Relay } from '../support/relay.ts';
import { type Route, startRoute } from '../support/route.ts';

const { schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

/**
 * The types of all manifests that a client is given with an image, by what the route is pinned to. Each client here
 * reads every type, so without a pin it would be given what is stored: only what passed on the wire shows the form.
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
  const routes = new Map<Pin, Route>();
  beforeAll(async () => {
    registry = await startRealRegistry();
    for (const pin of pins) routes.set(pin, await startRoute(registry.url, { REGSHIFT_FORMAT: pin }));
  });
  afterAll(async () => {
    for (const route of routes.values()) await route.stop();
    await registry?.stop();
  });

  /** The relay of a route, with nothing recorded yet. */
  const fresh = (pin: Pin): Relay => {
    const relay = routes.get(pin)?.relay;
    if (!relay) throw new Error(`no route is pinned to ${pin}`);
    relay.forget();
    return relay;
  };

  for (const { name, programs, start } of clientPrograms) {
    describe.skipIf(requirePeers(...programs))(`by ${name}`, () => {
      let client: Client;
      beforeAll(async () => {
        client = await start();
      });
      afterAll(() => client?.stop());

      it.each(cases)('$pin: $repository, by tag and by digest', async ({ pin, repository, types }) => {
        const relay = fresh(pin);
        const byTag = await client.pull(`${relay.host}/${repository}:latest`);
        expect(await readTree(byTag)).toEqual(registry.files);
        expect(manifestTypes(relay)).toEqual(types);
        const told = manifestAnswers(relay)[0]?.digest;

        relay.forget();
        const byDigest = await client.pull(`${relay.host}/${repository}@${told}`);
        expect(await readTree(byDigest)).toEqual(registry.files);
        expect(manifestTypes(relay)).toEqual(types);
      });

      it.each(pins)('%s: all tags of a repository', async (pin) => {
        const relay = fresh(pin);
        const roots = await pullAll(client, `${relay.host}/real/tags`);
        const trees = roots.map(async ([tag, root]) => [tag, await readTree(root)] as const);
        expect(Object.fromEntries(await Promise.all(trees))).toEqual(registry.tagged);
        const types = pin === 'auto' ? [ociManifest, schema2] : given[pin]['real/oci'];
        expect(manifestTypes(relay)).toEqual(answersOf(types));
      });
    });
  }
});

/** ctr has no command for it, and is given the tags one by one. */
async function pullAll(client: Client, repository: string): Promise<[tag: string, root: string][]> {
  if (client.pullAll) return [...(await client.pullAll(repository))];
  const roots: [string, string][] = [];
  for (const tag of ['first', 'second']) roots.push([tag, await client.pull(`${repository}:${tag}`)]);
  return roots;
}

function answersOf(types: readonly string[]): string[] {
  return types.map((type) => `200 ${type}`).toSorted();
}
