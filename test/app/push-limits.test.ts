import { describe, expect, it } from 'vitest';
import { limits } from '../../converters/limits.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Cache, CacheEntry } from '../../src/cache/cache.ts';
import { isOurs } from '../../src/registry/cache-entries.ts';
import { testApp } from '../support/app.ts';
import {
  addImage,
  addIndex,
  type BuiltRepository,
  compressedFor,
  json,
  layerWith,
  linux,
} from '../support/built-repository.ts';
import { choosyRegistry, generations } from '../support/choosy-registry.ts';
import {
  builtTree,
  login,
  type PushTree,
  pushTree,
  putManifest,
  treeOfSample,
} from '../support/push-tree.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema2, ociManifest, ociConfig, ociLayerZstd } = mediaTypes;
const name = 'team/app';

function start(generation: keyof typeof generations, variables: Record<string, string> = {}) {
  const registry = choosyRegistry({ takes: generations[generation] });
  const upstream = scriptedUpstream(registry.script);
  return { registry, upstream, app: testApp(variables, upstream.fetch) };
}

/** An OCI image whose one zstd layer has these bytes. */
const imageOfLayer = (change: (zstd: Uint8Array) => Uint8Array) =>
  builtTree((built) => {
    const layer = built.blob(ociLayerZstd, change(compressedFor(ociLayerZstd, layerWith('base').tar)));
    addImage(built, { files: ['base'], manifest: { layers: [layer] } });
  });

/** The layer's descriptor says that it has one byte. */
const imageOfClaim = () =>
  builtTree((built) => {
    const noise = new Uint8Array(2 ** 21).map((_, index) => (index * index * 31) >> 3);
    const layer = built.blob(ociLayerZstd, compressedFor(ociLayerZstd, noise));
    addImage(built, { files: ['base'], manifest: { layers: [{ ...layer, size: 1 }] } });
  });

const largeConfig = () =>
  builtTree((built) =>
    addImage(built, { layerType: ociLayerZstd, config: { author: 'a'.repeat(4 * 2 ** 20) } }),
  );

/** An index in an index, and so on. */
const deepIndex = () =>
  builtTree((built) => {
    let root: object = { ...addImage(built), ...linux('amd64') };
    for (let level = 0; level <= limits.indexDepth; level += 1) root = addIndex(built, [root]);
  });

const largeIndex = () =>
  builtTree((built) => {
    const images = Array.from({ length: 24 }, (_, index) => addImage(built, { files: [`file ${index}`] }));
    addIndex(
      built,
      images.map((image, index) => ({ ...image, ...linux(`architecture${index}`) })),
    );
  });

/** A zstd frame that asks for a window of some 3.9 TB, the largest of the format (RFC 8878, section 3.1.1.1.2). */
const wideWindow = () => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00]);

const small = { REGSHIFT_LAYER_BYTES: '100' };

interface Case {
  readonly what: string;
  readonly takes: keyof typeof generations;
  readonly tree: () => PushTree | Promise<PushTree>;
  readonly status: number;
  readonly reason: RegExp;
  readonly variables?: Record<string, string>;
}

const zstdLayer = (what: string, change: (zstd: Uint8Array) => Uint8Array) =>
  ({ what: `a zstd layer ${what}`, takes: 'docker', tree: () => imageOfLayer(change) }) as const;

const cases: readonly Case[] = [
  {
    ...{ what: 'a zstd layer above the limit', takes: 'docker', tree: () => treeOfSample('sample/oci-zstd') },
    ...{ status: 413, reason: /unpacks to more/, variables: small },
  },
  {
    ...{ what: 'a schema 1 layer above the limit', takes: 'oci', tree: () => treeOfSample('sample/schema1') },
    ...{ status: 413, reason: /unpacks to more/, variables: small },
  },
  { ...zstdLayer('with a wide window', wideWindow), status: 413, reason: /zstd window/ },
  {
    ...zstdLayer('that is cut short', (zstd) => zstd.subarray(0, -9)),
    status: 400,
    reason: /is broken zstd|cut/,
  },
  {
    ...{ what: 'a layer far longer than its manifest says', takes: 'docker', tree: imageOfClaim },
    ...{ status: 400, reason: /more than its manifest says/ },
  },
  {
    ...{ what: 'a config above 4 MiB', takes: 'docker', tree: largeConfig },
    ...{ status: 413, reason: /at most 4194304 bytes/ },
  },
  {
    ...{ what: 'an index of too many levels', takes: 'docker', tree: deepIndex },
    ...{ status: 413, reason: /too large or too deep/ },
  },
  {
    ...{ what: 'more requests than one may cause', takes: 'docker', tree: largeIndex },
    ...{ status: 413, reason: /REGSHIFT_SUBREQUESTS/, variables: { REGSHIFT_SUBREQUESTS: '20' } },
  },
];

describe('a push that must be converted, and cannot be because of', () => {
  it.each(cases)('$what, gets an answer that no client repeats', async (each) => {
    const { takes, status, reason, variables = {} } = each;
    const { registry, app } = start(takes, variables);
    const tree = await each.tree();
    const answer = (await pushTree(app, name, tree)).at(-1);
    expect([answer?.status, answer?.error().code]).toEqual([status, 'MANIFEST_INVALID']);
    expect(answer?.error().message).toMatch(reason);
    expect(answer?.header('Retry-After')).toBeNull();
    expect(registry.tags.size).toBe(0);
  });
});

describe('a push that fails for a reason that may pass', () => {
  it.each([429, 500, 503])('keeps the status of the registry (%i)', async (status) => {
    const registry = choosyRegistry({ takes: generations.docker });
    let isFailing = false;
    const upstream = scriptedUpstream((request, url) =>
      isFailing && request.method === 'GET' && url.pathname.includes('/blobs/')
        ? new Response(null, { status })
        : registry.script(request, url),
    );
    const app = testApp({}, upstream.fetch);
    const tree = await treeOfSample('sample/oci-zstd');
    await pushTree(app, name, { ...tree, manifests: [] });
    isFailing = true;
    expect((await pushTree(app, name, tree)).at(-1)?.status).toBe(status);
  });
});

describe('an image that was pulled where the limit is higher, and is pushed as it was pulled', () => {
  it('is refused where its decompressed layer is above the limit', async () => {
    const registry = choosyRegistry({ takes: [...generations.docker, ...generations.oci] });
    const upstream = scriptedUpstream(registry.script);
    const entries = new Map<string, CacheEntry>();
    const cache: Cache = {
      get: async (key) => entries.get(key),
      set: async (key, entry) => void entries.set(key, entry),
    };
    const tiers = [{ name: 'shared', cache, accepts: isOurs }];
    const [other, app] = [{}, small].map((variables) => testApp(variables, upstream.fetch, { tiers }));
    if (!other || !app) throw new Error('two replicas');
    await pushTree(other, name, await treeOfSample('sample/oci-zstd'));
    const headers = { ...login, 'User-Agent': 'docker/20.10.0', Accept: schema2 };
    const { body: bytes } = await other.get(`/v2/${name}/manifests/latest`, headers);
    const answer = await putManifest(app, name, 'again', { mediaType: schema2, bytes });
    expect([answer.status, answer.error().code]).toEqual([413, 'MANIFEST_INVALID']);
    expect(answer.error().message).toMatch(/REGSHIFT_LAYER_BYTES/);
    expect(registry.tags.has(`${name}:again`)).toBe(false);
  });
});

/** BuildKit's attestation of so many statements. */
function attestationOf(statements: number): PushTree {
  const add = (built: BuiltRepository) => {
    const config = built.blob(ociConfig, json({ os: 'unknown' }));
    const layers = Array.from({ length: statements }, (_, index) =>
      built.blob('application/vnd.in-toto+json', json({ index })),
    );
    built.manifest(ociManifest, { schemaVersion: 2, mediaType: ociManifest, config, layers });
  };
  return builtTree(add);
}

describe('an attestation that the registry does not take', () => {
  it.each([
    [127, 201],
    [128, 400],
  ])('with a config and %i statements gets %i', async (statements, status) => {
    const { registry, upstream, app } = start('docker');
    const { blobs, manifests } = attestationOf(statements);
    await pushTree(app, name, { blobs, manifests: [] });
    const [attestation] = manifests;
    if (!attestation) throw new Error('no attestation');
    const before = registry.blobs.size;
    upstream.forget();
    const { digest } = attestation;
    const answer = await putManifest(app, name, digest, attestation);
    expect(answer.status).toBe(status);
    expect(registry.blobs.size).toBe(status === 201 ? before + 1 : before);
    if (status === 400) expect(upstream.asked).toEqual([`PUT /v2/${name}/manifests/${digest}`]);
  });
});
