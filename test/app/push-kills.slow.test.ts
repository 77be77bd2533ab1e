import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { type ChoosyRegistry, choosyRegistry, generations } from '../support/choosy-registry.ts';
import {
  type PushTree,
  pushBlob,
  pushTree,
  putManifest,
  treeOfSample,
  treeOfShape,
} from '../support/push-tree.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const name = 'team/app';

interface Document {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** Everything below a manifest that the registry lacks. */
function lackingBelow({ blobs, manifests }: ChoosyRegistry, digest: string): string[] {
  const stored = manifests.get(`${name}@${digest}`);
  if (!stored) return [digest];
  const document = JSON.parse(new TextDecoder().decode(stored.bytes)) as Document;
  const { config, layers = [], manifests: children = [] } = document;
  const named = [...(config ? [config] : []), ...layers].map((each) => each.digest);
  return [
    ...named.filter((each) => !blobs.has(`${name}@${each}`)),
    ...children.flatMap((child) => lackingBelow({ blobs, manifests } as ChoosyRegistry, child.digest)),
  ];
}

/** A process that is killed after so many requests to upstream: none of the later ones is sent. */
function killedAfter(requests: number, registry: ChoosyRegistry) {
  const upstream = scriptedUpstream(registry.script);
  let sent = 0;
  return testApp({}, async (href, init) => {
    sent += 1;
    if (sent > requests) throw new TypeError('fetch failed');
    return upstream.fetch(href, init);
  });
}

async function putAll(registry: ChoosyRegistry, { manifests }: PushTree, requests: number): Promise<number> {
  const app = killedAfter(requests, registry);
  for (const [index, manifest] of manifests.entries()) {
    const reference = index === manifests.length - 1 ? 'latest' : manifest.digest;
    const { status } = await putManifest(app, name, reference, manifest);
    if (status !== 201) return status;
  }
  return 201;
}

const cases = [
  ['an index with an attestation', 'docker', async () => treeOfShape('attestations')],
  ['an image of zstd layers', 'docker', () => treeOfSample('sample/oci-zstd')],
  ['a schema 1 image', 'oci', () => treeOfSample('sample/schema1')],
] as const;

/** The requests of the longest of these pushes are fewer. */
const mostRequests = 80;

describe.each(cases)('a push of %s to a registry of the generation %s', (_, generation, make) => {
  it('leaves the tag whole wherever the process is killed, and succeeds when it is repeated', async () => {
    const tree = await make();
    const whole = { takes: generations[generation] };
    const earlier = await treeOfSample(generation === 'docker' ? 'sample/schema2' : 'sample/oci');
    const outcomes: number[] = [];
    for (let requests = 0; requests < mostRequests; requests += 1) {
      const registry = choosyRegistry(whole);
      const direct = testApp({}, scriptedUpstream(registry.script).fetch);
      await pushTree(direct, name, earlier);
      const before = registry.tags.get(`${name}:latest`);
      for (const blob of tree.blobs) await pushBlob(direct, name, blob);
      const status = await putAll(registry, tree, requests);
      outcomes.push(status);
      const tagged = registry.tags.get(`${name}:latest`) ?? '';
      expect(lackingBelow(registry, tagged)).toEqual([]);
      if (status === 201) expect(tagged).not.toBe(before);
      const again = testApp({}, scriptedUpstream(registry.script).fetch);
      const answers = await pushTree(again, name, tree);
      expect(answers.map((answer) => answer.status)).toEqual(tree.manifests.map(() => 201));
      const now = registry.tags.get(`${name}:latest`) ?? '';
      expect(now).not.toBe(before);
      expect(lackingBelow(registry, now)).toEqual([]);
      if (status === 201) break;
    }
    expect(outcomes.length).toBeGreaterThan(8);
    expect(outcomes.at(-1)).toBe(201);
  });
});
