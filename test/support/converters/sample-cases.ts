import type { Digest, LayerFacts } from '../../../converters/index.ts';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { sampleTree } from '../sample-tree.ts';
import { layerFactsOf } from './layer-facts.ts';
import type { StoredCase } from './stored-case.ts';

/** Every sample as a case. A sample with zstd layers is also a case for a client that cannot decompress zstd. */
export async function sampleCases(): Promise<StoredCase[]> {
  const registry = createSampleRegistry();
  const names = registry.repositories.map(({ name }) => name);
  const cases = await Promise.all(names.map((name) => caseOf(registry, name)));
  const zstd = cases.filter(({ name }) => name.endsWith('zstd'));
  return [...cases, ...zstd.map((each) => ({ ...each, name: `${each.name}-unpacked`, unpackZstd: true }))];
}

async function caseOf(registry: ReturnType<typeof createSampleRegistry>, name: string): Promise<StoredCase> {
  const { manifests, blobs } = await sampleTree(registry, name);
  const root = manifests.at(-1);
  if (!root) throw new Error(`${name} is empty`);
  const documents = new Map(manifests.map(({ digest, bytes }) => [digest, bytes]));
  const layers = new Map<Digest, LayerFacts>();
  for (const [digest, bytes] of blobs) {
    if (bytes[0] === 0x7b || bytes[0] === 0x5b) documents.set(digest, bytes);
    else layers.set(digest, layerFactsOf(bytes));
  }
  return {
    name: `sample-${name.replace('sample/', '')}`,
    madeBy: `the sample registry (${name})`,
    root: root.digest,
    repository: name,
    tag: 'latest',
    unpackZstd: false,
    documents,
    layers,
  };
}
