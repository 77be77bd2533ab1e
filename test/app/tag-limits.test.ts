import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Cache, CacheEntry } from '../../src/cache/cache.ts';
import { isIntact, isOurs } from '../../src/registry/cache-entries.ts';
import { type Answer, type RequestHeaders, type TestApp, testApp } from '../support/app.ts';
import { builderShapes } from '../support/builder-shapes.ts';
import {
  addImage,
  addIndex,
  type BuiltDescriptor,
  type BuiltRepository,
  builtRepository,
  linux,
} from '../support/built-repository.ts';
import { countingPulls, scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema2, dockerList, ociManifest, ociIndex, ociLayerZstd } = mediaTypes;
const all = [schema2, dockerList, ociManifest, ociIndex].join(', ');
const modern: RequestHeaders = { 'User-Agent': 'containerd/2.0', Accept: all };
const anything: RequestHeaders = { 'User-Agent': 'python-requests/2.31', Accept: '*/*' };
const latest = (sample: string) => `/v2/${sample}/manifests/latest`;
const digest = (answer: Answer) => answer.header('Docker-Content-Digest') ?? '';
const routed = (own: object) => ({
  REGSHIFT_CONFIG: JSON.stringify({
    upstream: 'http://registry.test',
    routes: [
      { match: { path: 'own/' }, upstream: 'http://registry.test', ...own },
      { upstream: 'http://registry.test' },
    ],
  }),
});

interface Entry {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform?: { readonly architecture: string };
  readonly annotations?: Record<string, string>;
}

interface Manifest {
  readonly manifests?: readonly Entry[];
  readonly layers?: readonly { readonly mediaType: string }[];
}

const parsed = (answer: Answer) => JSON.parse(answer.text()) as Manifest;
const architectures = (answer: Answer) =>
  parsed(answer).manifests?.map((each) => each.platform?.architecture);
const rulesOf = (...rules: readonly object[]) => ({ REGSHIFT_CLIENTS: JSON.stringify(rules) });

function over(
  add: (built: BuiltRepository) => BuiltDescriptor,
  variables: Record<string, string>,
): { app: TestApp; root: BuiltDescriptor; again: () => TestApp } {
  const built = builtRepository('team/app');
  const root = add(built);
  const again = () => testApp(variables, scriptedUpstream(built.serve(root)).fetch);
  return { app: again(), root, again };
}

/** A digest that is got by tag is found by a replica with an empty memory, by GET and HEAD alike. */
async function expectFound(
  variables: Record<string, string>,
  sample: string,
  answer: Answer,
  headers = modern,
) {
  const path = `/v2/${sample}/manifests/${digest(answer)}`;
  const other = testApp(variables, scriptedUpstream().fetch);
  const found = await other.get(path, headers);
  expect([found.status, digestOf(found.body)]).toEqual([200, digest(answer)]);
  const head = await testApp(variables, scriptedUpstream().fetch).head(path, headers);
  expect([head.status, digest(head)]).toEqual([200, digest(answer)]);
}

describe('attestations: drop', () => {
  const drop = { REGSHIFT_ATTESTATIONS: 'drop' };

  it.each([
    ['modern', modern],
    ['wildcard', anything],
  ])('a %s client gets the index of a tag without them, with its images as they are', async (_, headers) => {
    const app = testApp(drop);
    const answer = await app.get(latest('sample/index'), headers);
    const stored = await testApp().get(latest('sample/index'), headers);
    expect(architectures(stored)).toEqual(['amd64', 'arm64', 'unknown', 'unknown']);
    expect(answer.header('Content-Type')).toBe(ociIndex);
    expect(parsed(answer).manifests).toEqual(parsed(stored).manifests?.slice(0, 2));
    expect(answer.header('Regshift-Source-Digest')).toBe(digest(stored));
    const head = await app.head(latest('sample/index'), headers);
    expect([head.status, digest(head)]).toEqual([200, digest(answer)]);
    await expectFound(drop, 'sample/index', answer, headers);
  });

  it('a replica with the same cache has the recipe, and does not search', async () => {
    const entries = new Map<string, CacheEntry>();
    const cache: Cache = {
      get: async (key) => entries.get(key),
      set: async (key, entry) => void entries.set(key, structuredClone(entry)),
    };
    const upstream = scriptedUpstream();
    const replica = () =>
      testApp(drop, upstream.fetch, { tiers: [{ name: 'shared', cache, accepts: isOurs }] });
    const made = await replica().get(latest('sample/index'), modern);
    upstream.forget();
    const answer = await replica().get(`/v2/sample/index/manifests/${digest(made)}`, modern);
    expect(answer.body).toEqual(made.body);
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toEqual([]);
    const recipes = [...entries].filter(([key]) => key.startsWith('recipe '));
    expect(recipes).not.toEqual([]);
    for (const [key, { facts, body }] of recipes) {
      const spoilt = { ...facts, recipe: { ...(facts.recipe as object), dropAttestations: 'some' } };
      expect(isIntact(key, { facts: spoilt, body })).toBe(false);
    }
  });

  it('by digest, the stored index goes out', async () => {
    const stored = await testApp().get(latest('sample/index'), modern);
    const answer = await testApp(drop).get(`/v2/sample/index/manifests/${digest(stored)}`, modern);
    expect(answer.body).toEqual(stored.body);
  });

  it('of a route, they are for this route alone', async () => {
    const app = testApp(routed({ attestations: 'drop' }), scriptedUpstream().fetch);
    expect(architectures(await app.get(latest('own/sample/index'), modern))).toEqual(['amd64', 'arm64']);
    expect(architectures(await app.get(latest('sample/index'), modern))).toHaveLength(4);
  });

  it.each(['attestations', 'attestations with a subject'])(
    'an index with one image and %s stays an index',
    async (name) => {
      const shape = builderShapes.find((each) => each.name === name);
      if (shape === undefined) throw new Error(`no shape ${name}`);
      const { app, again } = over(shape.add, drop);
      const answer = await app.get(latest('team/app'), modern);
      expect([answer.header('Content-Type'), architectures(answer)]).toEqual([ociIndex, ['amd64']]);
      const found = await again().get(`/v2/team/app/manifests/${digest(answer)}`, modern);
      expect(digestOf(found.body)).toBe(digest(answer));
    },
  );

  it.each([
    ['a list', dockerList],
    ['an index', ociIndex],
  ])('%s with images of both families keeps them, and none is fetched', async (_, mediaType) => {
    const add = (built: BuiltRepository) => {
      const oci = { ...addImage(built, { files: ['amd64'] }), ...linux('amd64') };
      const docker = {
        ...addImage(built, { mediaType: schema2, files: ['arm64'] }),
        ...linux('arm64'),
      };
      const attestation = {
        ...addImage(built, { files: ['statement'] }),
        platform: { os: 'unknown', architecture: 'unknown' },
      };
      return addIndex(built, [oci, docker, attestation], mediaType);
    };
    const built = builtRepository('team/app');
    const root = add(built);
    const upstream = scriptedUpstream(built.serve(root));
    const answer = await testApp(drop, upstream.fetch).get(latest('team/app'), anything);
    expect(answer.header('Content-Type')).toBe(mediaType);
    expect(parsed(answer).manifests?.map((each) => each.mediaType)).toEqual([ociManifest, schema2]);
    expect(upstream.asked.filter((each) => /^GET .*manifests/.test(each))).toHaveLength(1);
    const other = testApp(drop, scriptedUpstream(built.serve(root)).fetch);
    const found = await other.get(`/v2/team/app/manifests/${digest(answer)}`, anything);
    expect(digestOf(found.body)).toBe(digest(answer));
  });

  it('an index of attestations alone, and an index without any, go out as they are stored', async () => {
    const add = (built: BuiltRepository) =>
      addIndex(built, [{ ...addImage(built, {}), platform: { os: 'unknown', architecture: 'unknown' } }]);
    const { app, root } = over(add, drop);
    expect(digest(await app.get(latest('team/app'), modern))).toBe(root.digest);
    const stored = await testApp().get(latest('sample/index-arm'), modern);
    expect(digest(await testApp(drop).get(latest('sample/index-arm'), modern))).toBe(digest(stored));
  });

  it('where the registry counts pulls, it stays an index, and costs one pull', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const answer = await testApp(drop, upstream.fetch).get(latest('sample/index'), modern);
    expect(architectures(answer)).toEqual(['amd64', 'arm64']);
    expect(upstream.asked.filter((each) => /^GET .*manifests/.test(each))).toHaveLength(1);
  });

  it('an index that a client cannot read is converted as without the setting: one product', async () => {
    const old = { 'User-Agent': 'docker/18.03.1-ce go/go1.9.5', Accept: [schema2, dockerList].join(', ') };
    const [kept, dropped] = [
      await testApp().get(latest('sample/index'), old),
      await testApp(drop).get(latest('sample/index'), old),
    ];
    expect(dropped.body).toEqual(kept.body);
  });

  it('inside of an inner index, they are left out where its entries stand in its place', async () => {
    const add = (built: BuiltRepository) => {
      const image = { ...addImage(built, { files: ['arm64'] }), ...linux('arm64') };
      const attestation = {
        ...addImage(built, { files: ['statement'] }),
        platform: { os: 'unknown', architecture: 'unknown' },
      };
      const inner = addIndex(built, [image, attestation]);
      return addIndex(built, [{ ...addImage(built, {}), ...linux('amd64') }, inner]);
    };
    const { app, again } = over(add, rulesOf({ match: {}, lacks: ['nestedIndex', 'attestations'] }));
    const answer = await app.get(latest('team/app'), modern);
    expect(architectures(answer)).toEqual(['amd64', 'arm64']);
    const found = await again().get(`/v2/team/app/manifests/${digest(answer)}`, modern);
    expect(digestOf(found.body)).toBe(digest(answer));
  });

  it('with zstd layers, for a client without zstd, both are left out', async () => {
    const add = (built: BuiltRepository) => {
      const image = {
        ...addImage(built, { files: ['amd64'], layerType: ociLayerZstd }),
        ...linux('amd64'),
      };
      const attestation = {
        ...addImage(built, { files: ['statement'] }),
        platform: { os: 'unknown', architecture: 'unknown' },
      };
      return addIndex(built, [image, attestation]);
    };
    const limits = { ...drop, REGSHIFT_LAYERS: 'plain' };
    for (const variables of [rulesOf({ match: {}, lacks: ['zstd', 'attestations'] }), limits]) {
      const { app } = over(add, variables);
      const answer = await app.get(latest('team/app'), modern);
      expect(architectures(answer)).toEqual(['amd64']);
      const [entry] = parsed(answer).manifests ?? [];
      const image = await app.get(`/v2/team/app/manifests/${entry?.digest}`, modern);
      expect([image.status, image.text().includes('zstd')]).toEqual([200, false]);
    }
  });

  it('a form of the route keeps its effect', async () => {
    const app = testApp({ ...drop, REGSHIFT_FORMAT: 'oci' });
    expect(architectures(await app.get(latest('sample/index'), modern))).toEqual(['amd64', 'arm64']);
  });
});

describe('a rule that lacks attestations', () => {
  const rule = { match: { network: '10.1.0.0/16' }, lacks: ['attestations'] };

  it('is for its clients alone, and two networks share no answer, in either order', async () => {
    const app = testApp({ ...rulesOf(rule), REGSHIFT_TAG_TTL: '60' });
    for (const [clientAddress, entries] of [
      ['10.1.0.9', 2],
      ['10.2.0.9', 4],
      ['10.1.0.9', 2],
      ['10.2.0.9', 4],
    ] as const) {
      const answer = await app.send('GET', latest('sample/index'), anything, { clientAddress });
      expect(architectures(answer)).toHaveLength(entries);
      expect(answer.header('Cache-Control')).toMatch(/private/);
    }
  });

  it('leaves the stored index by digest, and all else that a wildcard takes', async () => {
    const app = testApp(rulesOf({ match: {}, lacks: ['attestations'] }));
    const stored = await testApp().get(latest('sample/index'), anything);
    const byDigest = await app.get(`/v2/sample/index/manifests/${digest(stored)}`, anything);
    expect(byDigest.body).toEqual(stored.body);
    for (const sample of ['sample/oci', 'sample/fat-generic', 'sample/list', 'sample/oci-zstd']) {
      const [limited, plain] = [
        await app.get(latest(sample), anything),
        await testApp().get(latest(sample), anything),
      ];
      expect(digest(limited)).toBe(digest(plain));
    }
  });
});

describe('index: one', () => {
  const one = { REGSHIFT_INDEX: 'one' };

  it.each([
    ['modern', modern],
    ['wildcard', anything],
  ])('a %s client gets the image of one platform for a tag', async (_, headers) => {
    const stored = await testApp().get(latest('sample/index'), headers);
    const app = testApp(one);
    const answer = await app.get(latest('sample/index'), headers);
    expect(answer.header('Content-Type')).toBe(ociManifest);
    expect(digest(answer)).toBe(parsed(stored).manifests?.[0]?.digest);
    expect(digest(await app.head(latest('sample/index'), headers))).toBe(digest(answer));
  });

  it('wins over lists, and over a form with a list', async () => {
    const app = testApp({ ...one, REGSHIFT_LISTS: 'full', REGSHIFT_FORMAT: 'schema2' });
    const answer = await app.get(latest('sample/index'), modern);
    expect(answer.header('Content-Type')).toBe(schema2);
    await expectFound({ ...one, REGSHIFT_FORMAT: 'schema2' }, 'sample/index', answer);
  });

  it.each([
    [{ REGSHIFT_PLATFORM: 'linux/arm64' }, modern, 'linux/arm64'],
    [{}, { ...modern, 'User-Agent': 'docker/28.0 os/linux arch/arm64' }, 'linux/arm64'],
    [rulesOf({ match: {}, platform: 'linux/arm64' }), modern, 'linux/arm64'],
    [{}, modern, 'linux/amd64'],
  ])('the platform of %o for %o is %s', async (variables, headers, platform) => {
    const answer = await testApp({ ...one, ...variables }).get(latest('sample/index'), headers);
    expect(answer.header('Regshift-Conversion')).toContain(`platform=${platform}`);
  });

  it('two networks with other platforms share no answer', async () => {
    const rule = { match: { network: '10.1.0.0/16' }, platform: 'linux/arm64' };
    const app = testApp({ ...one, ...rulesOf(rule), REGSHIFT_TAG_TTL: '60' });
    for (const [clientAddress, platform] of [
      ['10.1.0.9', 'linux/arm64'],
      ['10.2.0.9', 'linux/amd64'],
      ['10.1.0.9', 'linux/arm64'],
    ] as const) {
      const answer = await app.send('GET', latest('sample/index'), modern, { clientAddress });
      expect(answer.header('Regshift-Conversion')).toContain(`platform=${platform}`);
    }
  });

  it('by digest, the stored index goes out', async () => {
    const stored = await testApp().get(latest('sample/index'), modern);
    const answer = await testApp(one).get(`/v2/sample/index/manifests/${digest(stored)}`, modern);
    expect(answer.body).toEqual(stored.body);
  });

  it('of a route, it is for this route alone', async () => {
    const app = testApp(routed({ index: 'one' }), scriptedUpstream().fetch);
    expect((await app.get(latest('own/sample/index'), modern)).header('Content-Type')).toBe(ociManifest);
    expect((await app.get(latest('sample/index'), modern)).header('Content-Type')).toBe(ociIndex);
  });

  it('an index without images goes out as it is stored', async () => {
    const add = (built: BuiltRepository) =>
      addIndex(built, [built.blob(mediaTypes.ociLayerGzip, new Uint8Array([1]))]);
    const { app, root } = over(add, one);
    expect(digest(await app.get(latest('team/app'), modern))).toBe(root.digest);
  });

  it('a list of referrers goes out as it is stored', async () => {
    const add = (built: BuiltRepository) =>
      addIndex(built, [{ ...addImage(built), artifactType: 'application/spdx+json' }]);
    const { app, root } = over(add, one);
    expect(digest(await app.get(latest('team/app'), modern))).toBe(root.digest);
  });

  it('a platform that the index lacks is an error that names the others', async () => {
    const app = testApp({ ...one, REGSHIFT_PLATFORM: 'linux/s390x' });
    const answer = await app.get(latest('sample/index'), modern);
    expect([answer.status, answer.error().message]).toEqual([404, expect.stringContaining('linux/arm64')]);
  });
});

/** An index with a gzip and a zstd image for one platform. */
function bothCompressions(order: 'gzip first' | 'zstd first') {
  return (built: BuiltRepository): BuiltDescriptor => {
    const gzip = { ...addImage(built, {}), ...linux('amd64') };
    const zstd = {
      ...addImage(built, { layerType: ociLayerZstd }),
      ...linux('amd64'),
      annotations: { 'io.github.containers.compression.zstd': 'true' },
    };
    return addIndex(built, order === 'gzip first' ? [gzip, zstd] : [zstd, gzip]);
  };
}

describe('layers: plain', () => {
  const plain = { REGSHIFT_LAYERS: 'plain' };

  it.each([
    ['modern', modern],
    ['wildcard', anything],
  ])('a %s client gets no zstd layers by tag', async (_, headers) => {
    for (const sample of ['sample/oci-zstd', 'sample/index-zstd']) {
      const app = testApp(plain);
      const answer = await app.get(latest(sample), headers);
      const stored = await testApp().get(latest(sample), headers);
      const [entry] = parsed(answer).manifests ?? [];
      const image = entry ? await app.get(`/v2/${sample}/manifests/${entry.digest}`, headers) : answer;
      expect([
        image.status,
        parsed(image).layers?.some(({ mediaType }) => mediaType.endsWith('zstd')),
      ]).toEqual([200, false]);
      expect(answer.header('Content-Type')).toBe(stored.header('Content-Type'));
      expect(digest(await app.head(latest(sample), headers))).toBe(digest(answer));
      await expectFound(plain, sample, answer, headers);
      const byDigest = await app.get(`/v2/${sample}/manifests/${digest(stored)}`, headers);
      expect(byDigest.body).toEqual(stored.body);
    }
  });

  it.each(['schema1', 'schema1-unsigned', 'schema2', 'list', 'oci', 'index', 'fat-generic', 'helm-chart'])(
    '%s, which has no zstd layers, goes out as without the setting',
    async (name) => {
      for (const headers of [modern, anything]) {
        const [limited, stored] = [
          await testApp(plain).get(latest(`sample/${name}`), headers),
          await testApp().get(latest(`sample/${name}`), headers),
        ];
        expect([limited.status, digest(limited)]).toEqual([stored.status, digest(stored)]);
      }
    },
  );

  it.each(['gzip first', 'zstd first'] as const)(
    'an index with both compressions, %s, has the gzip images alone, for a client that would choose zstd, too',
    async (order) => {
      for (const headers of [modern, anything]) {
        const { app, again } = over(bothCompressions(order), plain);
        const answer = await app.get(latest('team/app'), headers);
        const entries = parsed(answer).manifests ?? [];
        expect(entries).toHaveLength(1);
        const image = await app.get(`/v2/team/app/manifests/${entries[0]?.digest}`, headers);
        expect(image.text()).not.toContain('zstd');
        const found = await again().get(`/v2/team/app/manifests/${digest(answer)}`, headers);
        expect(digestOf(found.body)).toBe(digest(answer));
      }
    },
  );

  it.each(['skopeo/1.18.0', 'containers/5.36.2 (github.com/containers/image)'])(
    'a rule that lacks zstd leads %s to the gzip image, which it would not choose',
    async (userAgent) => {
      const { app } = over(bothCompressions('gzip first'), rulesOf({ match: {}, lacks: ['zstd'] }));
      const headers = { ...modern, 'User-Agent': userAgent };
      const entries = parsed(await app.get(latest('team/app'), headers)).manifests ?? [];
      // It chooses the entry with the annotation, if there is one.
      const chosen = entries.find(({ annotations }) => annotations !== undefined) ?? entries[0];
      const image = await app.get(`/v2/team/app/manifests/${chosen?.digest}`, headers);
      expect([image.status, image.text().includes('zstd')]).toEqual([200, false]);
    },
  );

  it('a rule that lacks zstd leaves the stored index to clients that take its first image', async () => {
    const { app, root } = over(bothCompressions('gzip first'), rulesOf({ match: {}, lacks: ['zstd'] }));
    expect(digest(await app.get(latest('team/app'), modern))).toBe(root.digest);
  });

  it('of a route, it is for this route alone', async () => {
    const app = testApp(routed({ layers: 'plain' }), scriptedUpstream().fetch);
    expect((await app.get(latest('own/sample/oci-zstd'), modern)).text()).not.toContain('+zstd');
    expect((await app.get(latest('sample/oci-zstd'), modern)).text()).toContain('+zstd');
  });
});

it('all three together give one plain image', async () => {
  const variables = { REGSHIFT_LAYERS: 'plain', REGSHIFT_INDEX: 'one', REGSHIFT_ATTESTATIONS: 'drop' };
  const answer = await testApp(variables).get(latest('sample/index-zstd'), modern);
  expect([answer.header('Content-Type'), answer.text().includes('+zstd')]).toEqual([ociManifest, false]);
  await expectFound(variables, 'sample/index-zstd', answer);
});
