import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type ChoosyRegistry, choosyRegistry, generations } from '../support/choosy-registry.ts';
import { newPusher, oldPushers } from '../support/push-simulators.ts';
import { treeOfSample, treeOfShape } from '../support/push-tree.ts';
import { serveScript } from '../support/served-script.ts';
import { serveOnNode, serveOnWorkerd, type WireServer } from '../support/wire-server.ts';

const { schema2, dockerList, ociManifest } = mediaTypes;

describe.each([
  ['Node', serveOnNode],
  ['workerd', serveOnWorkerd],
] as const)('requests byte for byte, on %s', (_, serve) => {
  const running: { stop(): Promise<void> }[] = [];
  const registries = new Map<string, { readonly registry: ChoosyRegistry; readonly proxy: WireServer }>();
  beforeAll(async () => {
    for (const generation of ['docker', 'today', 'oci'] as const) {
      const registry = choosyRegistry({ takes: generations[generation] });
      const upstream = await serveScript(registry.script);
      const proxy = await serve(upstream.url);
      running.push(upstream, proxy);
      registries.set(generation, { registry, proxy });
    }
  }, 120_000);
  afterAll(async () => {
    for (const { stop } of running.toReversed()) await stop();
  });

  function at(generation: string) {
    const found = registries.get(generation);
    if (!found) throw new Error(`no registry ${generation}`);
    return found;
  }

  const storedType = (registry: ChoosyRegistry, name: string) =>
    registry.manifests.get(`${name}@${registry.tags.get(`${name}:1.0`)}`)?.mediaType;

  for (const { name, push } of oldPushers) {
    it.each(['today', 'oci'])(
      `${name} pushes schema 1 to a registry of the generation %s`,
      async (generation) => {
        const { registry, proxy } = at(generation);
        const repository = `by/${name.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}`;
        const tree = await treeOfSample('sample/schema1');
        expect((await push(proxy.port, repository, '1.0', tree))?.status).toBe(201);
        expect(storedType(registry, repository)).toBe(ociManifest);
      },
    );
  }

  it.each([
    ['an image', () => treeOfSample('sample/oci'), schema2],
    ['an index with an attestation', async () => treeOfShape('attestations'), dockerList],
  ] as const)(
    'containerd 2 pushes %s to a registry of the generation docker, twice',
    async (kind, make, type) => {
      const { registry, proxy } = at('docker');
      const repository = `by/containerd/${kind.length}`;
      const tree = await make();
      expect((await newPusher.push(proxy.port, repository, '1.0', tree))?.status).toBe(201);
      expect(storedType(registry, repository)).toBe(type);
      await newPusher.push(proxy.port, repository, '1.0', tree);
      expect(storedType(registry, repository)).toBe(type);
    },
  );
});
