import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker20 = manifestRequestHeaders['Docker 20.10'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const latest = '/v2/sample/oci/manifests/latest';

const count = (asked: readonly string[], pattern: RegExp) =>
  asked.filter((each) => pattern.test(each)).length;

function timesAsked(asked: readonly string[]) {
  return {
    heads: count(asked, /^HEAD .*\/manifests\//),
    manifests: count(asked, /^GET .*\/manifests\//),
    blobs: count(asked, /\/blobs\//),
  };
}

describe('a hundred concurrent requests to an empty cache', () => {
  const cases: readonly [OldClient, string, { heads: number; manifests: number; blobs: number }][] = [
    ['Docker 1.9.1', 'sample/oci', { heads: 1, manifests: 1, blobs: 1 }],
    ['Docker 1.9.1', 'sample/schema2', { heads: 1, manifests: 1, blobs: 1 }],
    ['Docker 1.13.1', 'sample/oci', { heads: 1, manifests: 1, blobs: 0 }],
    ['Docker 20.10', 'sample/oci', { heads: 1, manifests: 1, blobs: 0 }],
    ['Docker 1.9.1', 'sample/index', { heads: 1, manifests: 2, blobs: 1 }],
    ['Docker 1.13.1', 'sample/index', { heads: 1, manifests: 3, blobs: 0 }],
  ];
  it.each(cases)('of %s for %s cost as much upstream as one: %o', async (client, sample, expected) => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const path = `/v2/${sample}/manifests/latest`;
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => app.get(path, manifestRequestHeaders[client])),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(responses.map((each) => each.text())).size).toBe(1);
    expect(timesAsked(upstream.asked)).toEqual(expected);
  });

  it('of all clients share their requests to upstream', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const clients = Object.values(manifestRequestHeaders);
    await Promise.all(clients.flatMap((headers) => [app.get(latest, headers), app.head(latest, headers)]));
    expect(timesAsked(upstream.asked)).toEqual({ heads: 1, manifests: 1, blobs: 1 });
  });

  it('fail together, and nothing of the failure is cached', async () => {
    const upstream = scriptedUpstream(() => specError(503, 'UNKNOWN'));
    const app = testApp({}, upstream.fetch);
    const responses = await Promise.all(Array.from({ length: 100 }, () => app.get(latest, docker19)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
    expect(upstream.asked).toHaveLength(1);
    upstream.follow();
    expect((await app.get(latest, docker19)).status).toBe(200);
  });
});

describe('a tag', () => {
  it('is not resolved again within the TTL', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    const first = await app.get(latest, docker19);
    upstream.forget();
    app.advance(29);
    expect((await app.get(latest, docker19)).body).toEqual(first.body);
    expect((await app.head(latest, docker19)).status).toBe(200);
    expect(upstream.asked).toEqual([]);
  });

  it('costs one HEAD after the TTL', async () => {
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

  it.each(['', '.sig', '.att'])(
    'of a digest with "%s" is resolved each time, as programs add to it',
    async (end) => {
      const tag = `sha256-${'a'.repeat(64)}${end}`;
      const upstream = scriptedUpstream(manyTags('team/app', { [tag]: 'sample/index' }));
      const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
      const path = `/v2/team/app/manifests/${tag}`;
      const before = await app.get(path, docker20);
      expect((await app.get(path, docker20)).body).toEqual(before.body);
      upstream.follow(manyTags('team/app', { [tag]: 'sample/helm-chart' }));
      upstream.forget();
      const after = await app.get(path, docker20);
      expect(after.header('Docker-Content-Digest')).not.toBe(before.header('Docker-Content-Digest'));
      expect((await app.head(path, docker20)).status).toBe(200);
      expect(upstream.asked.filter((each) => each === `HEAD ${path}`)).toHaveLength(2);
    },
  );

  it.each([
    ['more than a TTL ago is resolved again', 31, 2],
    ['less than a TTL ago is not', 29, 1],
  ])('whose pending question was sent %s', async (_, seconds, questions) => {
    const gate = createGate();
    const upstream = scriptedUpstream(async () => {
      await gate.pass();
      return undefined;
    });
    const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    const first = app.get(latest, docker19);
    while (gate.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    app.advance(seconds);
    const later = Array.from({ length: 5 }, () => app.get(latest, docker19));
    await settled();
    gate.open();
    for (const each of await Promise.all([first, ...later])) expect(each.status).toBe(200);
    expect(count(upstream.asked, /\/manifests\/latest$/)).toBe(questions);
  });

  it('that moves is noticed after the TTL', async () => {
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
  it('of a cached manifest fetches no blob and no manifest', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.forget();
    await app.head(latest, docker19);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });
});

describe('REGSHIFT_CACHE_BYTES=0', () => {
  it('caches no content, and the responses are the same', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, upstream.fetch);
    const [first, second] = [await app.get(latest, docker19), await app.get(latest, docker19)];
    expect(second.header('Docker-Content-Digest')).toBe(first.header('Docker-Content-Digest'));
    expect(count(upstream.asked, /^GET .*\/manifests\//)).toBeGreaterThan(1);
  });
});
