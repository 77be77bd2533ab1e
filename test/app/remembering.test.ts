import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;

const count = (asked: readonly string[], pattern: RegExp) =>
  asked.filter((each) => pattern.test(each)).length;

function timesAsked(asked: readonly string[]) {
  return {
    heads: count(asked, /^HEAD .*\/manifests\//),
    manifests: count(asked, /^GET .*\/manifests\//),
    blobs: count(asked, /\/blobs\//),
  };
}

describe('a hundred cold requests at the same time', () => {
  const cases: readonly [OldClient, string, { heads: number; manifests: number; blobs: number }][] = [
    ['Docker 1.9.1', 'sample/oci', { heads: 1, manifests: 1, blobs: 1 }],
    ['Docker 1.9.1', 'sample/schema2', { heads: 1, manifests: 1, blobs: 1 }],
    ['Docker 1.13.1', 'sample/oci', { heads: 1, manifests: 1, blobs: 0 }],
    ['Docker 20.10', 'sample/oci', { heads: 1, manifests: 1, blobs: 0 }],
    ['Docker 1.9.1', 'sample/index', { heads: 1, manifests: 2, blobs: 1 }],
    ['Docker 1.13.1', 'sample/index', { heads: 1, manifests: 3, blobs: 0 }],
  ];
  it.each(cases)('of %s for %s ask upstream as one would: %o', async (client, sample, expected) => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const path = `/v2/${sample}/manifests/latest`;
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => app.get(path, manifestRequestHeaders[client])),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map((each) => each.text())).size).toBe(1);
    expect(timesAsked(upstream.asked)).toEqual(expected);
  });

  it('of all clients share what they have in common', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const clients = Object.values(manifestRequestHeaders);
    await Promise.all(clients.flatMap((headers) => [app.get(latest, headers), app.head(latest, headers)]));
    expect(timesAsked(upstream.asked)).toEqual({ heads: 1, manifests: 1, blobs: 1 });
  });

  it('fail together, and leave nothing behind', async () => {
    const upstream = scriptedUpstream(() => specError(503, 'UNKNOWN'));
    const app = testApp({}, upstream.fetch);
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.get(latest, docker19)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(upstream.asked).toHaveLength(1);
    upstream.follow();
    expect((await app.get(latest, docker19)).status).toBe(200);
  });
});

describe('a tag', () => {
  it('is not asked for again within the TTL', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    const first = await app.get(latest, docker19);
    upstream.forget();
    app.advance(29);
    expect((await app.get(latest, docker19)).body).toEqual(first.body);
    expect((await app.head(latest, docker19)).status).toBe(200);
    expect(upstream.asked).toEqual([]);
  });

  it('costs one HEAD after it', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.forget();
    app.advance(30);
    await app.get(latest, docker19);
    await app.head(latest, docker19);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('costs one HEAD each time with REGSHIFT_TAG_TTL=0', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.forget();
    for (let times = 0; times < 3; times += 1) await app.get(latest, docker19);
    expect(upstream.asked).toEqual(Array.from({ length: 3 }, () => `HEAD ${latest}`));
  });

  it('that moves is seen after the TTL', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const before = await app.get(latest, docker113);
    const moved: Script = async (request, url) => {
      if (url.pathname !== latest) return undefined;
      const other = await scriptedUpstream().fetch(url.href.replace('/oci/', '/oci-no-history/'), {
        method: request.method,
      });
      return new Response(request.method === 'HEAD' ? null : await other.arrayBuffer(), other);
    };
    const elsewhere: Script = async (request, url) =>
      (await moved(request, url)) ??
      scriptedUpstream().fetch(url.href.replace('/oci/', '/oci-no-history/'), { method: request.method });
    upstream.follow(elsewhere);
    expect((await app.get(latest, docker113)).body).toEqual(before.body);
    app.advance(30);
    const after = await app.get(latest, docker113);
    expect(after.status).toBe(200);
    expect(after.header('Docker-Content-Digest')).not.toBe(before.header('Docker-Content-Digest'));
  });
});

describe('HEAD', () => {
  it('of what is known asks for no blob and no manifest', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.forget();
    await app.head(latest, docker19);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });
});

describe('while upstream fails', () => {
  const failures: readonly [string, Script][] = [
    ['answers 500', () => specError(500, 'UNKNOWN')],
    ['answers 503', () => specError(503, 'UNKNOWN')],
    ['limits', () => specError(429, 'TOOMANYREQUESTS', { 'Retry-After': '9' })],
    [
      'is not there',
      () => {
        throw new TypeError('fetch failed');
      },
    ],
  ];

  it.each(failures)('and %s, a public answer is given with its age', async (_name, script) => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    const fresh = await app.get(latest, docker19);
    expect(fresh.header('Age')).toBeNull();
    upstream.follow(script);
    app.advance(100);
    const stale = await app.get(latest, docker19);
    expect([stale.status, stale.header('Age')]).toEqual([200, '100']);
    expect(stale.body).toEqual(fresh.body);
  });

  it('a client that asks for the digest that a stale HEAD told it gets that too (Docker 20.10, containerd)', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    for (const client of ['Docker 1.13.1', 'Docker 20.10'] as const) {
      await app.get(latest, manifestRequestHeaders[client]);
    }
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(100);
    for (const client of ['Docker 1.13.1', 'Docker 20.10'] as const) {
      const headers = manifestRequestHeaders[client];
      const told = (await app.head(latest, headers)).header('Docker-Content-Digest');
      const answer = await app.get(`/v2/sample/oci/manifests/${told}`, headers);
      expect([answer.status, answer.header('Age')]).toEqual([200, '100']);
    }
  });

  it('a derived digest that was pulled before is given with its age too', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const digest = (await app.get(latest, docker19)).header('Docker-Content-Digest');
    const path = `/v2/sample/oci/manifests/${digest}`;
    await app.get(path, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(40);
    const stale = await app.get(path, docker19);
    expect([stale.status, stale.header('Age')]).toEqual([200, '40']);
  });

  it('a public answer is too old after REGSHIFT_STALE', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(601);
    expect((await app.get(latest, docker19)).status).toBe(503);
  });

  it('nothing stale is given with REGSHIFT_STALE=0', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '0' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(31);
    expect((await app.get(latest, docker19)).status).toBe(503);
  });

  it.each(failures)('and %s, a private answer is never given', async (_name, script) => {
    const upstream = scriptedUpstream(privateTo(alice[1]));
    const app = testApp({}, upstream.fetch);
    expect((await app.get(latest, [...docker19, alice])).status).toBe(200);
    upstream.follow(script);
    app.advance(31);
    expect((await app.get(latest, [...docker19, alice])).status).toBeGreaterThanOrEqual(429);
    expect((await app.get(latest, docker19)).status).toBeGreaterThanOrEqual(429);
  });

  it.each([
    ['private', 401],
    ['forbidden', 403],
    ['deleted', 404],
  ])(
    'what upstream made %s meanwhile is no longer given, and not when it fails after that',
    async (_, status) => {
      const upstream = scriptedUpstream();
      const app = testApp({}, upstream.fetch);
      await app.get(latest, docker19);
      upstream.follow(() => specError(status, 'DENIED'));
      app.advance(31);
      expect((await app.get(latest, docker19)).status).toBe(status);
      upstream.follow(() => specError(503, 'UNKNOWN'));
      expect((await app.get(latest, docker19)).status).toBe(503);
    },
  );
});

describe('REGSHIFT_CACHE_BYTES=0', () => {
  it('remembers nothing of the content, and is right all the same', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, upstream.fetch);
    const [first, second] = [await app.get(latest, docker19), await app.get(latest, docker19)];
    expect(second.header('Docker-Content-Digest')).toBe(first.header('Docker-Content-Digest'));
    expect(count(upstream.asked, /^GET .*\/manifests\//)).toBeGreaterThan(1);
  });
});
