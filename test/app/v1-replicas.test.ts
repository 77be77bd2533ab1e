import { describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { type V1DaemonName, v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';
import type { V1Http } from '../support/v1-session.ts';

const tags = {
  '1.0': 'sample/oci',
  '1.1': 'sample/schema1',
  '1.10': 'sample/index',
  '1.9': 'sample/generic-993',
  latest: 'sample/schema2-empty-layers',
  nightly: 'sample/list',
};
const upstream = () => scriptedUpstream(manyTags('team/app', tags));

/** Each request goes to the next replica in turn. */
function inTurn(replicas: readonly TestApp[]): V1Http {
  let turn = 0;
  return (method, path, headers) => {
    turn += 1;
    return (replicas[turn % replicas.length] as TestApp).send(method, path, headers);
  };
}

/** Each request goes to a new process. */
const alwaysNew: V1Http = (method, path, headers) =>
  testApp({}, upstream().fetch).send(method, path, headers);

const single = testApp({}, upstream().fetch);

const pull = (daemon: V1DaemonName, http: V1Http, tag: string, cookies = true) =>
  pullV1({ daemon: v1Daemons[daemon], http, cookies }, 'team/app', tag);

describe.each(v1DaemonNames)('%s pulls', (daemon) => {
  it.each(Object.keys(tags))(
    'team/app:%s from two replicas that share nothing but the signing key',
    async (tag) => {
      const { ids, json, layers } = await pull(daemon, single.send, tag);
      const replicas = [testApp({}, upstream().fetch), testApp({}, upstream().fetch)];
      expect(await pull(daemon, inTurn(replicas), tag)).toMatchObject({ ids, json, layers });
    },
  );

  it.each([
    ['1.9', true],
    ['1.9', false],
    ['latest', false],
  ] as const)('team/app:%s from replicas with empty caches (cookies: %s)', async (tag, cookies) => {
    const { ids, json, layers } = await pull(daemon, single.send, tag);
    expect(await pull(daemon, alwaysNew, tag, cookies)).toMatchObject({ ids, json, layers });
  });
});

describe('a replica that searches all tags', () => {
  it('skips tags that are no image or are missing', async () => {
    const odd = { a: 'sample/helm-chart', latest: 'sample/helm-chart', b: 'sample/oci', z: 'sample/nowhere' };
    const http: V1Http = (method, path, headers) =>
      testApp({}, scriptedUpstream(manyTags('team/app', odd)).fetch).send(method, path, headers);
    const { layers } = await pull('Docker 1.9.1', http, 'b', false);
    expect(layers.size).toBe(2);
  });
});

describe('a cookie', () => {
  /** Each request goes to a new process that searches one tag alone. */
  const few: V1Http = (method, path, headers) =>
    testApp({ REGSHIFT_V1_TAGS: '1' }, upstream().fetch).send(method, path, headers);

  it('leads to an image whose tag no replica would search', async () => {
    const { ids } = await pull('Docker 1.9.1', single.send, '1.0');
    expect((await pull('Docker 1.9.1', few, '1.0')).ids).toEqual(ids);
    await expect(pull('Docker 1.9.1', few, '1.0', false)).rejects.toThrow('Server error: 404');
  });

  it.each([
    // The images response already needs no list for latest.
    ['latest', 1],
    ['1.9', 2],
  ])('saves most searches of Docker 1.7: %s', async (tag, lists) => {
    const everything: string[] = [];
    await pull(
      'Docker 1.7.1',
      async (method, path, headers) => {
        const behind = upstream();
        const response = await testApp({}, behind.fetch).send(method, path, headers);
        everything.push(...behind.asked);
        return response;
      },
      tag,
    );
    expect(everything.filter((each) => each.endsWith('/tags/list'))).toHaveLength(lists);
  });
});

describe('a replica with an empty cache', () => {
  it('requests the image that the cookie names from upstream, and no tag', async () => {
    const { session, ids } = await pull('Docker 1.9.1', single.send, '1.9');
    const cold = upstream();
    const path = session.asked.find((each) => each.endsWith(`${ids[1]}/json`)) ?? '';
    const tag = await single.get('/v2/team/app/manifests/1.9', { Accept: '*/*' });
    const root = tag.header('Docker-Content-Digest');
    const response = await testApp({}, cold.fetch).get(path, { Cookie: `a=b; regshift-root=${root}; c=d` });
    expect(response.status).toBe(200);
    expect(cold.asked.filter((each) => /tags|manifests\/[^s]/.test(each))).toEqual([]);
  });

  it('with another signing key accepts no context and no token', async () => {
    const other = {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
    };
    const stranger = testApp({ REGSHIFT_SIGNING_KEY: JSON.stringify(other) }, upstream().fetch);
    const pulling = pull('Docker 1.9.1', inTurn([single, stranger]), 'latest');
    await expect(pulling).rejects.toThrow(/Could not reach any registry endpoint|Authentication is required/);
  });
});
