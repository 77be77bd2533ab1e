import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../converters/digest.ts';
import { createSampleRegistry } from '../../../src/sample-registry/registry.ts';
import { childrenOf, type SampleTree, sampleTree } from '../../support/sample-tree.ts';
import { unzstd } from '../../support/unzstd.ts';

const registry = createSampleRegistry();
const names = registry.repositories.map((repository) => repository.name);

interface AnyDescriptor {
  readonly digest: Digest;
  readonly size?: number;
  readonly length?: number;
}

/** Every object in the document that has a digest and a byte count. */
function descriptorsIn(value: unknown): AnyDescriptor[] {
  if (typeof value !== 'object' || value === null) return [];
  const here = 'digest' in value && ('size' in value || 'length' in value) ? [value as AnyDescriptor] : [];
  return [...here, ...Object.values(value).flatMap(descriptorsIn)];
}

function parse(bytes: Uint8Array) {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
}

/** The compression by the first bytes, because media types do not always name it. */
function decompressed(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  const zstdMagics = [0xfd2fb528, 0x184d2a50];
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return zstdMagics.includes(magic) ? unzstd(bytes) : bytes;
}

function bytesOf({ manifests, blobs }: SampleTree, digest: Digest): Uint8Array {
  const bytes = blobs.get(digest) ?? manifests.find((manifest) => manifest.digest === digest)?.bytes;
  if (bytes === undefined) throw new Error(`No content ${digest}`);
  return bytes;
}

describe.each(names)('%s', (name) => {
  it('has every digest that it names, and the bytes and sizes are true', async () => {
    const tree = await sampleTree(registry, name);
    for (const [digest, bytes] of tree.blobs) expect(digestOf(bytes)).toBe(digest);
    for (const { digest, mediaType, bytes } of tree.manifests) {
      // A signed schema 1 manifest has the digest of its payload: see schema1.test.ts.
      if (!mediaType.endsWith('+prettyjws')) expect(digestOf(bytes)).toBe(digest);
      for (const descriptor of descriptorsIn(parse(bytes))) {
        const size = descriptor.size ?? descriptor.length;
        expect(bytesOf(tree, descriptor.digest).length).toBe(size);
      }
    }
  });

  it('has the same type inside a manifest as in its Content-Type, if it has one inside', async () => {
    const { manifests } = await sampleTree(registry, name);
    for (const { bytes, mediaType } of manifests) {
      expect([undefined, mediaType]).toContain(parse(bytes).mediaType);
    }
  });

  it('has diff_ids that are true, for each config that has them', async () => {
    const tree = await sampleTree(registry, name);
    const documents = [...tree.manifests.map((manifest) => manifest.bytes), ...tree.blobs.values()];
    for (const bytes of documents.filter((each) => childrenOf(each).length > 0)) {
      const { config, layers, target, dependencies } = parse(bytes);
      const configDigest = config?.digest ?? target?.digest;
      if (configDigest === undefined) continue;
      const diffIds: Digest[] | undefined = parse(bytesOf(tree, configDigest)).rootfs?.diff_ids;
      if (diffIds === undefined) continue;
      const compressed: AnyDescriptor[] = layers ?? dependencies;
      const actual = compressed.map((layer) => digestOf(decompressed(bytesOf(tree, layer.digest))));
      if (name === 'sample/generic-993') expect(actual).toEqual(expect.arrayContaining(diffIds));
      else expect(actual).toEqual(diffIds);
    }
  });

  it('has hello in a layer, and has at least two layers if it is an image', async () => {
    const { blobs } = await sampleTree(registry, name);
    const layers = [...blobs.values()].map(decompressed).filter((bytes) => bytes[257] === 'u'.charCodeAt(0));
    const texts = layers.map((layer) => new TextDecoder().decode(layer));
    if (name === 'sample/helm-chart') expect(layers).toHaveLength(1);
    else {
      expect(layers.length).toBeGreaterThanOrEqual(2);
      expect(texts.join('')).toContain(`Hello from ${name} on linux/amd64.`);
    }
  });
});

describe('particular samples', () => {
  async function rootOf(name: string) {
    const { manifests } = await sampleTree(registry, name);
    return parse(manifests.at(-1)?.bytes ?? new Uint8Array());
  }

  it('marks the attestations of the index as BuildKit does', async () => {
    const { manifests } = await rootOf('sample/index');
    const [first, second, third, fourth] = manifests;
    for (const [image, attestation] of [
      [first, third],
      [second, fourth],
    ]) {
      expect(attestation.platform).toEqual({ architecture: 'unknown', os: 'unknown' });
      expect(attestation.annotations).toEqual({
        'vnd.docker.reference.digest': image.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      });
    }
  });

  it('names its arm variants', async () => {
    const { manifests } = await rootOf('sample/index-arm');
    const platforms = manifests.map(
      ({ platform }: { platform: { architecture: string; variant?: string } }) =>
        `${platform.architecture}${platform.variant ?? ''}`,
    );
    expect(platforms).toEqual(['armv7', 'armv6', 'armv5', 'arm64v8', 'amd64']);
  });

  it('has a platform table as the target of the second fat generic manifest', async () => {
    const tree = await sampleTree(registry, 'sample/fat-generic-table');
    const { target, dependencies } = await rootOf('sample/fat-generic-table');
    const table = parse(bytesOf(tree, target.digest));
    expect(table).toEqual([
      { os: 'linux', arch: 'amd64', manifestDigest: dependencies[0].digest },
      { os: 'linux', arch: 'arm64', manifestDigest: dependencies[1].digest },
    ]);
  });

  it('has more history entries than layers, or none, if its description says so', async () => {
    const historyOf = async (name: string) => {
      const tree = await sampleTree(registry, name);
      return parse(bytesOf(tree, (await rootOf(name)).config.digest)).history;
    };
    expect(
      (await historyOf('sample/schema2-empty-layers')).map((entry: object) => 'empty_layer' in entry),
    ).toEqual([true, false, true, false, true, true]);
    expect(await historyOf('sample/oci-no-history')).toBeUndefined();
  });
});
