import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Cache, CacheEntry } from '../../src/cache/cache.ts';
import { isOurs, kindOf } from '../../src/registry/cache-entries.ts';
import { testApp } from '../support/app.ts';
import { largeIndex } from '../support/large-index.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { countingPulls, type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const repository = '/v2/sample/oci/manifests';

interface SharedEntries extends Cache {
  readonly entries: Map<string, CacheEntry>;
  /** Changes all entries of a kind, as another writer might have left them. */
  change(kind: string, change: (entry: CacheEntry) => CacheEntry): void;
  drop(kind: string): void;
}

/** A cache that two programs share. */
function sharedEntries(): SharedEntries {
  const entries = new Map<string, CacheEntry>();
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, entry) => {
      entries.set(key, structuredClone(entry));
    },
    change(kind, change) {
      const ofKind = [...entries].filter(([key]) => kindOf(key) === kind);
      expect(ofKind.length).toBeGreaterThan(0);
      for (const [key, entry] of ofKind) entries.set(key, change(entry));
    },
    drop(kind) {
      for (const key of [...entries.keys()]) if (kindOf(key) === kind) entries.delete(key);
    },
  };
}

function sharing(cache: Cache) {
  const upstream = scriptedUpstream();
  const app = testApp({}, upstream.fetch, {
    tiers: [{ name: 'shared', cache, accepts: (key) => isOurs(key) || kindOf(key) === 'manifest' }],
  });
  return { ...app, asked: upstream.asked };
}

/** Pulls from one program. @returns a second program too, which shares the cache and nothing else. */
async function pulledFromOne(headers: typeof docker19 | typeof docker113 = docker19) {
  const cache = sharedEntries();
  const made = await sharing(cache).get(`${repository}/latest`, headers);
  expect(made.status).toBe(200);
  const digest = made.header('Docker-Content-Digest') ?? '';
  return { cache, made, digest, other: sharing(cache) };
}

describe('a manifest that one program has converted', () => {
  it('is served by another program by its digest, after one request that checks the access right', async () => {
    const { made, digest, other } = await pulledFromOne();
    const response = await other.get(`${repository}/${digest}`, docker19);
    expect(response.body).toEqual(made.body);
    expect(response.header('Regshift-Conversion')).toBe(made.header('Regshift-Conversion'));
    expect(other.asked).toEqual([`HEAD ${repository}/${made.header('Regshift-Source-Digest')}`]);
  });

  it('is not converted again for its tag', async () => {
    const { made, other } = await pulledFromOne(docker113);
    expect((await other.get(`${repository}/latest`, docker113)).body).toEqual(made.body);
    expect(other.asked).toEqual([`HEAD ${repository}/latest`]);
  });

  it('is not written again by a program that finds all of it there', async () => {
    const cache = sharedEntries();
    const list = '/v2/sample/index-zstd/manifests/latest';
    const made = await sharing(cache).get(list, docker113);
    const written: string[] = [];
    const other = sharing({ ...cache, set: async (key) => void written.push(key) });
    expect((await other.get(list, docker113)).body).toEqual(made.body);
    expect(written).toEqual([]);
  });
});

describe('a damaged entry of a shared cache', () => {
  const spoilt: readonly [string, string, (entry: CacheEntry) => CacheEntry][] = [
    ['product', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
    ['product', 'with another digest', (entry) => renamed(entry, `sha256:${'0'.repeat(64)}`)],
    ['product', 'of an older version', ({ facts: { from: _, ...facts }, body }) => ({ facts, body })],
    ['recipe', 'without its fields', ({ body }) => ({ facts: { recipe: 'schema1' }, body })],
    ['recipe', 'of an unknown form', (entry) => changedRecipe(entry, { form: 'schema3' })],
    ['manifest', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
  ];

  it.each(spoilt)('a %s %s is converted or fetched again', async (kind, _how, change) => {
    const { cache, made, digest } = await pulledFromOne(docker113);
    cache.change(kind, change);
    // The cached converted manifest would hide the damage.
    if (kind !== 'product') cache.drop('product');
    const spoiltEntries = new Map(cache.entries);
    const expected = [200, made.body, made.header('Regshift-Conversion')];
    for (const reference of ['latest', digest]) {
      cache.entries.clear();
      for (const [key, entry] of spoiltEntries) cache.entries.set(key, entry);
      const response = await sharing(cache).get(`${repository}/${reference}`, docker113);
      expect([response.status, response.body, response.header('Regshift-Conversion')]).toEqual(expected);
    }
  });

  it('a wrong recipe never leads to bytes that do not match the requested digest', async () => {
    const { cache, digest, other } = await pulledFromOne();
    cache.change('recipe', (entry) => changedRecipe(entry, { tag: 'another' }));
    const response = await other.get(`${repository}/${digest}`, docker19);
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});

describe('an entry that a shared cache has lost', () => {
  it('is stored again when its manifest is sent again, with the entries of its children', async () => {
    const cache = sharedEntries();
    const one = sharing({ ...cache, lacks: (key) => !cache.entries.has(key) });
    const list = '/v2/sample/index-zstd/manifests/latest';
    await one.get(list, docker113);
    const recipes = () => [...cache.entries.keys()].filter((key) => kindOf(key) === 'recipe').toSorted();
    const before = recipes();
    expect(before.length).toBeGreaterThan(3);
    cache.entries.clear();
    await one.get(list, docker113);
    expect(recipes()).toEqual(before);
  });
});

function flipped(body: Uint8Array): Uint8Array {
  return body.map((byte, index) => (index === body.length >> 1 ? byte ^ 1 : byte));
}

function renamed({ facts, body }: CacheEntry, digest: string): CacheEntry {
  return { facts: { ...facts, digest }, body };
}

function changedRecipe({ facts, body }: CacheEntry, change: object): CacheEntry {
  return { facts: { recipe: { ...(facts.recipe as object), ...change } }, body };
}

/** Platforms that Go builds for, in User-Agents. */
const goPlatforms = ['linux', 'windows', 'freebsd'].flatMap((os) =>
  ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'].map(
    (architecture) => `os/${os} arch/${architecture}`,
  ),
);

/** The number of stored products after requests by clients of all platforms. */
async function productsOf(path: string, accept: string, script?: Script): Promise<number> {
  const cache = sharedEntries();
  const upstream = scriptedUpstream(script);
  const tiers = [{ name: 'shared', cache, accepts: isOurs }];
  const app = testApp({ REGSHIFT_LISTS: 'full' }, upstream.fetch, { tiers });
  const digests = new Set<string | null>();
  for (const platform of goPlatforms) {
    for (const program of ['docker/20.10.24', 'docker/19.03.3', 'containerd/1.4.0']) {
      const response = await app.get(path, { 'user-agent': `${program} ${platform}`, accept });
      expect(response.status, platform).toBe(200);
      digests.add(response.header('docker-content-digest'));
    }
  }
  expect(digests.size).toBe(1);
  return [...cache.entries.keys()].filter((key) => kindOf(key) === 'product').length;
}

describe('a manifest for clients of 27 platforms', () => {
  const { dockerList, schema2 } = mediaTypes;

  it('is stored once if it is an index', async () => {
    const path = '/v2/big/app/manifests/latest';
    expect(await productsOf(path, `${dockerList}, ${schema2}`, largeIndex('big/app', 5))).toBe(1);
  });

  it('is stored once if it is an image', async () => {
    expect(await productsOf(`${repository}/latest`, `${dockerList}, ${schema2}`)).toBe(1);
  });

  it('is stored for each platform if layers of one platform are read for it', async () => {
    const cache = sharedEntries();
    // Where upstream counts pulls, the layers of other platforms are not read.
    const upstream = scriptedUpstream(countingPulls);
    const tiers = [{ name: 'shared', cache, accepts: isOurs }];
    const app = testApp({ REGSHIFT_LISTS: 'full' }, upstream.fetch, { tiers });
    const pull = async (architecture: string) => {
      const headers = { 'user-agent': `docker/20.10.24 os/linux arch/${architecture}`, accept: dockerList };
      const response = await app.get('/v2/sample/index-zstd/manifests/latest', headers);
      const { manifests } = JSON.parse(response.text()) as {
        manifests: { platform: { architecture: string } }[];
      };
      return manifests.map(({ platform }) => platform.architecture);
    };
    for (const architecture of ['amd64', 'arm64', 'amd64']) {
      expect(await pull(architecture)).toEqual([architecture]);
    }
    expect([...cache.entries.keys()].filter((key) => kindOf(key) === 'product')).toHaveLength(2);
  });

  it('is found under the key of one platform, as earlier versions stored an index', async () => {
    const cache = sharedEntries();
    const script = largeIndex('big/app', 5);
    const pull = (platform: string) => {
      const tiers = [{ name: 'shared', cache, accepts: isOurs }];
      const upstream = scriptedUpstream(script);
      const app = testApp({ REGSHIFT_LISTS: 'full' }, upstream.fetch, { tiers });
      const headers = { 'user-agent': `docker/20.10.24 ${platform}`, accept: `${dockerList}, ${schema2}` };
      return app.get('/v2/big/app/manifests/latest', headers);
    };
    await pull('os/linux arch/arm64');
    const [[key, entry] = ['', undefined]] = [...cache.entries].filter(
      ([each]) => kindOf(each) === 'product',
    );
    expect(key).toContain(' * ');
    cache.entries.delete(key);
    const earlier = key.replace(' * ', ' linux/arm64 ');
    cache.entries.set(earlier, entry as CacheEntry);
    expect((await pull('os/linux arch/arm64')).status).toBe(200);
    expect([...cache.entries.keys()].filter((each) => kindOf(each) === 'product')).toEqual([earlier]);
  });
});
