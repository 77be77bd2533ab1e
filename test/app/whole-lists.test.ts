import { beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { CacheEntry } from '../../src/cache/cache.ts';
import { isOurs } from '../../src/registry/cache-entries.ts';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { forgetfulMemory } from '../support/memory.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import {
  basicChallenge,
  countingPulls,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
  type Upstream,
} from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const list = '/v2/sample/index-zstd/manifests/latest';
const anyForm = [['Accept', '*/*']] as const;
const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';

const docker = (architecture: string, login?: string) =>
  [
    ['User-Agent', `docker/20.10.24 os/linux arch/${architecture}`],
    ['Accept', `${mediaTypes.dockerList}, ${mediaTypes.schema2}, ${mediaTypes.ociIndex}`],
    ...(login === undefined ? [] : [['Authorization', login] as const]),
  ] as const;

interface StoredIndex {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture: string };
  }[];
}

const architecturesOf = (answer: Answer) => {
  expect(answer.status).toBe(200);
  return (JSON.parse(answer.text()) as StoredIndex).manifests.map(({ platform }) => platform?.architecture);
};
const digestIn = (answer: Answer) => answer.header('Docker-Content-Digest');

/** The digests of the layers of an architecture's image, as they are stored. */
async function layersOf(architecture: string): Promise<string[]> {
  const app = testApp({}, scriptedUpstream().fetch);
  const index = JSON.parse((await app.get(list, anyForm)).text()) as StoredIndex;
  const entry = index.manifests.find(({ platform }) => platform?.architecture === architecture);
  const image = await app.get(list.replace('latest', entry?.digest ?? ''), anyForm);
  return (JSON.parse(image.text()).layers as { digest: string }[]).map(({ digest }) => digest);
}

/** Waits until the list has all platforms. */
async function whole(app: TestApp, headers = docker('amd64')): Promise<Answer> {
  let last: Answer | undefined;
  await vi.waitFor(async () => {
    last = await app.get(list, headers);
    expect(architecturesOf(last)).toEqual(['amd64', 'arm64']);
  });
  return last as Answer;
}

/** Lets reads of whole blobs wait at the gate. */
const holding =
  (digests: readonly string[], pass: () => Promise<void>): Script =>
  async ({ headers }, { pathname }) => {
    if (!headers.has('range') && digests.some((digest) => pathname.endsWith(`/blobs/${digest}`)))
      await pass();
    return undefined;
  };

const both =
  (one: Script, other: Script): Script =>
  async (request, url) =>
    (await one(request, url)) ?? other(request, url);

let upstream: Upstream;
let app: TestApp;
beforeEach(() => {
  upstream = scriptedUpstream();
  app = testApp({}, upstream.fetch);
});

describe('an index with zstd images, for an engine without zstd,', () => {
  it("is first the list of the engine's platform, and then that of all platforms: one for all engines", async () => {
    const first = await app.get(list, docker('amd64'));
    expect(architecturesOf(first)).toEqual(['amd64']);
    const second = await whole(app);
    expect(digestIn(second)).toBe(digestOf(second.body));
    for (const architecture of ['arm64', 'amd64', 's390x']) {
      const answer = await app.get(list, docker(architecture));
      const headAnswer = await app.head(list, docker(architecture));
      if (architecture === 's390x') continue;
      expect([digestIn(answer), digestIn(headAnswer)]).toEqual([digestIn(second), digestIn(second)]);
    }
  });

  it('can be pulled for the other platform: its manifest, config and layers', async () => {
    await app.get(list, docker('amd64'));
    const { manifests } = JSON.parse((await whole(app)).text()) as StoredIndex;
    const child = manifests.find(({ platform }) => platform?.architecture === 'arm64')?.digest ?? '';
    const image = await app.get(list.replace('latest', child), docker('amd64'));
    expect([image.status, digestOf(image.body)]).toEqual([200, child]);
    const { config, layers } = JSON.parse(image.text());
    for (const { digest, size } of [config, ...layers]) {
      const blob = await app.get(`/v2/sample/index-zstd/blobs/${digest}`, docker('amd64'));
      expect([blob.status, digestOf(blob.body), blob.body.length]).toEqual([200, digest, size]);
    }
  });

  it('has the same first digest where the other layers are never read', async () => {
    const counting = testApp({ REGSHIFT_LISTS: 'full' }, scriptedUpstream(countingPulls).fetch);
    const first = await app.get(list, docker('amd64'));
    expect(digestIn(await counting.get(list, docker('amd64')))).toBe(digestIn(first));
  });

  it('is found by both digests, also by a replica that knows neither', async () => {
    const short = digestIn(await app.get(list, docker('amd64')));
    const full = digestIn(await whole(app));
    expect(short).not.toBe(full);
    for (const replica of [
      app,
      testApp({}, scriptedUpstream().fetch),
      testApp({}, scriptedUpstream().fetch),
    ]) {
      for (const digest of [short, full].toReversed()) {
        const answer = await replica.get(list.replace('latest', digest ?? ''), docker('amd64'));
        expect([answer.status, digestOf(answer.body)]).toEqual([200, digest]);
      }
    }
  });

  it('is whole without memory, too (REGSHIFT_CACHE_BYTES=0)', async () => {
    const forgetful = testApp({ REGSHIFT_CACHE_BYTES: '0' }, scriptedUpstream().fetch);
    expect(architecturesOf(await forgetful.get(list, docker('amd64')))).toEqual(['amd64']);
    await whole(forgetful);
  });

  it('is made again in the request alone where the cache has lost it', async () => {
    const forgetful = testApp({ REGSHIFT_CACHE_BYTES: '0' }, upstream.fetch);
    await whole(forgetful);
    await forgetful.settled();
    upstream.forget();
    await forgetful.get(list, docker('amd64'));
    const asked = [...upstream.asked];
    expect(asked.length).toBeGreaterThan(0);
    await forgetful.settled();
    expect(upstream.asked).toEqual(asked);
  });

  it('is the short list again where its layers are no longer known: no client waits for those of others', async () => {
    const memory = forgetfulMemory();
    const losing = testApp({}, upstream.fetch, { memory });
    await whole(losing);
    await losing.settled();
    memory.forget(['content', 'layer-facts']);
    losing.advance(31);
    expect(architecturesOf(await losing.get(list, docker('amd64')))).toEqual(['amd64']);
    await whole(losing);
  });

  it('is one list for all replicas with a shared cache, within REGSHIFT_TAG_TTL', async () => {
    const entries = new Map<string, CacheEntry>();
    const cache = {
      get: async (key: string) => entries.get(key),
      set: async (key: string, entry: CacheEntry) => void entries.set(key, entry),
    };
    const tiers = [{ name: 'shared', cache, accepts: isOurs }];
    const gate = createGate();
    const held = scriptedUpstream(holding(await layersOf('arm64'), gate.pass));
    const other = testApp({}, held.fetch, { tiers });
    expect(architecturesOf(await other.get(list, docker('amd64')))).toEqual(['amd64']);
    const one = testApp({}, upstream.fetch, { tiers });
    await one.get(list, docker('amd64'));
    const full = digestIn(await whole(one));
    other.advance(61);
    expect(digestIn(await other.get(list, docker('amd64')))).toBe(full);
    expect(digestIn(await testApp({}, held.fetch, { tiers }).get(list, docker('arm64')))).toBe(full);
    gate.open();
  });
});

describe('the layers of other platforms', () => {
  it('are not read where upstream counts pulls', async () => {
    const counting = scriptedUpstream(countingPulls);
    const hub = testApp({ REGSHIFT_LISTS: 'full' }, counting.fetch);
    const others = await layersOf('arm64');
    for (let round = 0; round < 3; round += 1) {
      expect(architecturesOf(await hub.get(list, docker('amd64')))).toEqual(['amd64']);
      hub.advance(3600);
    }
    await settled(50);
    expect(counting.asked.filter((each) => others.some((digest) => each.includes(digest)))).toEqual([]);
  });

  it('are read once, and after the response', async () => {
    const others = await layersOf('arm64');
    const gate = createGate();
    upstream.follow(holding(others, gate.pass));
    const pulls = await Promise.all(Array.from({ length: 5 }, () => app.get(list, docker('amd64'))));
    expect(pulls.map(architecturesOf)).toEqual(pulls.map(() => ['amd64']));
    gate.open();
    await whole(app);
    for (const digest of others) {
      const reads = upstream.asked.filter((each) => each === `GET /v2/sample/index-zstd/blobs/${digest}`);
      expect(reads).toHaveLength(1);
    }
  });

  it('are read with the login of the request that caused it, and of no other request', async () => {
    const others = await layersOf('arm64');
    const gate = createGate();
    upstream.follow(both(privateTo(alice, bob), holding(others, gate.pass)));
    expect(architecturesOf(await app.get(list, docker('amd64', alice)))).toEqual(['amd64']);
    await vi.waitFor(() => expect(gate.waiting).toBe(1));
    expect(architecturesOf(await app.get(list, docker('amd64', bob)))).toEqual(['amd64']);
    upstream.forget();
    gate.open();
    await vi.waitFor(() => expect(upstream.asked.length).toBeGreaterThanOrEqual(others.length - 1));
    await whole(app, docker('amd64', alice));
    const logins = upstream.asked.flatMap((each, at) =>
      each.includes('/blobs/') ? [upstream.carried[at]] : [],
    );
    expect(new Set(logins)).toEqual(new Set(others.length > 1 ? [alice] : []));
    // The list is shared, and the right to it is not.
    expect((await app.get(list, docker('amd64', 'Basic ZXZlOng='))).status).toBe(401);
  });

  it('that one login may not read are read with another one', async () => {
    const others = await layersOf('arm64');
    const refusing: Script = ({ headers }, { pathname }) => {
      const isOther = others.some((digest) => pathname.endsWith(digest));
      if (!isOther || headers.get('authorization') === bob) return undefined;
      return specError(403, 'DENIED', { 'WWW-Authenticate': basicChallenge });
    };
    upstream.follow(both(privateTo(alice, bob), refusing));
    await app.get(list, docker('amd64', alice));
    await vi.waitFor(() => expect(upstream.asked.some((each) => each.includes(others[0] ?? '-'))).toBe(true));
    await settled(100);
    expect(architecturesOf(await app.get(list, docker('amd64', alice)))).toEqual(['amd64']);
    expect(architecturesOf(await app.get(list, docker('amd64', bob)))).toEqual(['amd64']);
    await whole(app, docker('amd64', bob));
  });

  it('that cannot be read leave the first list as it is, and are tried again after a minute', async () => {
    const others = await layersOf('arm64');
    upstream.follow((_, { pathname }) =>
      others.some((digest) => pathname.endsWith(digest)) ? specError(500, 'UNKNOWN') : undefined,
    );
    const tries = () => upstream.asked.filter((each) => each.endsWith(others[0] ?? '-')).length;
    expect(architecturesOf(await app.get(list, docker('amd64')))).toEqual(['amd64']);
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(0));
    await settled(100);
    const before = tries();
    for (let round = 0; round < 5; round += 1) {
      expect(architecturesOf(await app.get(list, docker('amd64')))).toEqual(['amd64']);
    }
    expect(tries()).toBe(before);
    upstream.follow();
    app.advance(121);
    await app.get(list, docker('amd64'));
    await whole(app);
  });
});

describe('the request headers of real engines', () => {
  it.each(['Docker 1.13.1', 'Docker 20.10'] as const)('lead to the whole list: %s', async (client) => {
    const headers = manifestRequestHeaders[client];
    expect(architecturesOf(await app.get(list, headers))).toEqual(['amd64']);
    await vi.waitFor(async () => expect(architecturesOf(await app.get(list, headers))).toHaveLength(2));
  });
});
