import { describe, expect, it, vi } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { manyTags } from '../support/many-tags.ts';
import { forgetfulMemory } from '../support/memory.ts';
import { type Script, scriptedUpstream, specError, type Upstream } from '../support/scripted-upstream.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';

const docker17 = [['User-Agent', v1Daemons['Docker 1.7.1'].userAgent]] as const;
const onArm = [
  ['User-Agent', 'docker/1.7.1 go/go1.4.2 git-commit/786b29d kernel/4.9.0 os/linux arch/arm64'],
] as const;
const path = '/v1/repositories/team/app/tags';

function over(script: Script, variables: Record<string, string> = {}): { app: TestApp; upstream: Upstream } {
  const upstream = scriptedUpstream(script);
  return { upstream, app: testApp(variables, upstream.fetch) };
}

const listedTags = async (app: TestApp, headers = docker17) => {
  const response = await app.get(path, headers);
  expect([response.status, response.text()]).toEqual([200, expect.any(String)]);
  return JSON.parse(response.text()) as Record<string, string>;
};

/** `v0` to `v<count - 1>`, `latest` and `edge`. */
function versions(count: number): Record<string, string> {
  const numbered = Array.from({ length: count }, (_, index) => [`v${index}`, 'sample/oci'] as const);
  return { edge: 'sample/schema2', ...Object.fromEntries(numbered), latest: 'sample/schema2-empty-layers' };
}

const warnings = ({ logged }: TestApp) => logged.filter(({ level }) => level === 'warn');

describe('the tags of a repository', () => {
  it('have the ids of their images, for the platform of the client', async () => {
    const { app } = over(manyTags('team/app', { a: 'sample/oci', b: 'sample/index', c: 'sample/oci' }));
    const ids = await listedTags(app);
    expect(Object.keys(ids)).toEqual(expect.arrayContaining(['a', 'b', 'c']));
    expect(ids.a).toBe(ids.c);
    expect(ids.a).not.toBe(ids.b);
    const other = await listedTags(app, onArm);
    expect(other.b).not.toBe(ids.b);
    expect((await app.get(path, docker17)).header('Vary')).toBe('User-Agent');
  });

  it('are no warnings in the log where the client leaves before all of them have answered', async () => {
    const gate = createGate();
    const tags = manyTags('team/app', versions(20));
    const { app } = over(async (request, url) => {
      if (url.pathname.includes('/manifests/v1')) await gate.pass();
      return tags(request, url);
    });
    const leaving = new AbortController();
    const left = app.send('GET', path, docker17, { signal: leaving.signal }).catch(() => undefined);
    await vi.waitFor(() => expect(gate.waiting).toBe(6));
    leaving.abort();
    await left;
    gate.open();
    await app.settled();
    expect(warnings(app)).toEqual([]);
    const lines = app.logged.filter(({ message }) => message === 'request');
    expect(lines.map(({ facts }) => facts?.status)).toEqual([499]);
  });

  it('may have the names of properties of every object', async () => {
    const { app } = over(manyTags('team/app', { constructor: 'sample/oci', ['__proto__']: 'sample/oci' }));
    expect(Object.keys(await listedTags(app)).toSorted()).toEqual(['__proto__', 'constructor']);
  });

  it('are listed without those that cannot be converted, and the log says why', async () => {
    const { app } = over(
      manyTags('team/app', { chart: 'sample/helm-chart', gone: 'sample/nowhere', ok: 'sample/oci' }),
    );
    expect(Object.keys(await listedTags(app))).toEqual(['ok']);
    expect(warnings(app).map(({ facts }) => [facts?.tag, facts?.reason])).toEqual(
      expect.arrayContaining([
        ['chart', expect.stringContaining('not a container image')],
        ['gone', expect.stringContaining('404')],
      ]),
    );
  });

  it('are listed as far as upstream serves them when it fails for some', async () => {
    const { app } = over((request, url) =>
      url.pathname.endsWith('/manifests/b')
        ? specError(503, 'UNAVAILABLE')
        : manyTags('team/app', { a: 'sample/oci', b: 'sample/index' })(request, url),
    );
    expect(Object.keys(await listedTags(app))).toEqual(['a']);
    expect(warnings(app).map(({ facts }) => facts?.tag)).toEqual(['b']);
  });

  it('are an error when upstream fails for all: this error takes precedence over that of an image', async () => {
    const tags = manyTags('team/app', { a: 'sample/oci', chart: 'sample/helm-chart' });
    const { app } = over(async (request, url) => {
      if (!url.pathname.endsWith('/manifests/a')) return tags(request, url);
      // The other tag is resolved by then.
      await new Promise((resolve) => setTimeout(resolve, 100));
      return specError(503, 'UNAVAILABLE');
    });
    const response = await app.get(path, docker17);
    expect([response.status, JSON.parse(response.text())]).toEqual([
      503,
      { error: expect.stringContaining('503') },
    ]);
  });
});

describe('a repository of many tags', () => {
  const many = versions(150);

  it('lists the newest hundred and latest, and the log says that there are more', async () => {
    const { app } = over(manyTags('team/app', many));
    const tags = Object.keys(await listedTags(app));
    expect(tags).toHaveLength(100);
    expect(tags).toEqual(expect.arrayContaining(['latest', 'v149', 'v100', 'v51']));
    expect(tags).not.toContain('v50');
    expect(warnings(app).at(-1)?.facts).toMatchObject({ repository: 'team/app', given: 100, left: 52 });
  });

  it('lists as many as REGSHIFT_V1_TAGS says', async () => {
    const { app } = over(manyTags('team/app', many), { REGSHIFT_V1_TAGS: '3' });
    expect(Object.keys(await listedTags(app)).toSorted()).toEqual(['latest', 'v148', 'v149']);
  });

  it('lists eight when upstream counts pulls', async () => {
    const counted = { 'ratelimit-limit': '100;w=21600' };
    const { app } = over(manyTags('team/app', many, counted));
    await app.get('/v2/team/app/manifests/latest', { Accept: '*/*' });
    expect(Object.keys(await listedTags(app))).toHaveLength(8);
  });

  it('sends no more than six requests at once', async () => {
    let atOnce = 0;
    let most = 0;
    const tags = manyTags('team/app', many);
    const { app } = over(async (request, url) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce -= 1;
      return tags(request, url);
    });
    await listedTags(app);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(6);
  });

  it('is resolved once per TTL, and its images are fetched once', async () => {
    const { app, upstream } = over(manyTags('team/app', versions(20)));
    await listedTags(app);
    expect(upstream.asked.filter((each) => each.startsWith('HEAD')).length).toBe(22);
    // Three images, each with a manifest and a config.
    expect(upstream.asked.filter((each) => each.startsWith('GET') && !each.endsWith('/list')).length).toBe(6);
    upstream.forget();
    await listedTags(app);
    expect(upstream.asked).toEqual([]);
    app.advance(31);
    await listedTags(app);
    expect(upstream.asked.filter((each) => !each.startsWith('HEAD'))).toEqual(['GET /v2/team/app/tags/list']);
  });

  it('needs the content of its images once, also where memory has lost it', async () => {
    const upstream = scriptedUpstream(manyTags('team/app', versions(3)));
    const memory = forgetfulMemory();
    const app = testApp({}, upstream.fetch, { memory });
    const listed = await listedTags(app);
    memory.forget(['content']);
    upstream.forget();
    expect(await listedTags(app)).toEqual(listed);
    expect(upstream.asked).toEqual([]);
  });

  it('lists the tag that Docker 1.5 has requested from API v2, wherever it is', async () => {
    const { app } = over(manyTags('team/app', many), { REGSHIFT_V1_TAGS: '2' });
    const pull = (daemon: 'Docker 1.3.3' | 'Docker 1.5.0') =>
      pullV1({ daemon: v1Daemons[daemon], http: app.send }, 'team/app', 'edge');
    await expect(pull('Docker 1.3.3')).rejects.toThrow('Tag edge not found in repository team/app');
    expect((await pull('Docker 1.5.0')).ids).toHaveLength(2);
  });

  it('is resolved from the tag that Docker 1.5 pulls', async () => {
    const { app, upstream } = over(manyTags('team/app', many));
    const docker15 = [['User-Agent', v1Daemons['Docker 1.5.0'].userAgent]] as const;
    await app.get('/v2/team/app/manifests/v7', docker15);
    expect((await app.get('/v1/repositories/team/app/images', docker15)).status).toBe(200);
    expect(upstream.asked[0]).toBe('HEAD /v2/team/app/manifests/v7');
    expect(upstream.asked).not.toContain('HEAD /v2/team/app/manifests/latest');
  });

  it('is told to no other address', async () => {
    const { app } = over(manyTags('team/app', many));
    const docker15 = [['User-Agent', v1Daemons['Docker 1.5.0'].userAgent]] as const;
    await app.send('GET', '/v2/team/app/manifests/merger', docker15, { clientAddress: '192.0.2.1' });
    const tagsAt = async (clientAddress: string) => {
      const images = await app.send('GET', '/v1/repositories/team/app/images', docker15, {
        clientAddress,
      });
      const [, facts = ''] = images.header('X-Docker-Endpoints')?.split('/v1ctx/')[1]?.split('.') ?? [];
      return JSON.parse(atob(facts)).tag;
    };
    expect([await tagsAt('192.0.2.1'), await tagsAt('192.0.2.2')]).toEqual(['merger', undefined]);
  });

  it('serves the tag that Docker 1.5 pulls from any replica, once the pull has a context', async () => {
    const { app } = over(manyTags('team/app', many), { REGSHIFT_V1_TAGS: '2' });
    const cold = () => over(manyTags('team/app', many), { REGSHIFT_V1_TAGS: '2' }).app;
    const http = (method: string, to: string, headers: readonly (readonly [string, string])[]) =>
      (to.startsWith('/v1ctx/') ? cold() : app).send(method, to, headers);
    const pulled = await pullV1(
      { daemon: v1Daemons['Docker 1.5.0'], http, cookies: false },
      'team/app',
      'edge',
    );
    expect(pulled.layers.size).toBe(2);
  });
});

describe('a single tag', () => {
  it('is resolved alone', async () => {
    const { app, upstream } = over(manyTags('team/app', versions(150)));
    const response = await app.get(`${path}/v7`, docker17);
    expect(JSON.parse(response.text())).toMatch(/^[0-9a-f]{64}$/);
    expect(upstream.asked.map((each) => each.replace(/sha256:.*/, '<digest>'))).toEqual([
      'HEAD /v2/team/app/manifests/v7',
      'GET /v2/team/app/manifests/<digest>',
      'GET /v2/team/app/blobs/<digest>',
    ]);
  });

  const odd = { chart: 'sample/helm-chart', gone: 'sample/nowhere', latest: 'sample/oci' };

  it('that cannot be converted is 404, and response and log say why', async () => {
    const { app } = over(manyTags('team/app', odd));
    const response = await app.get(`${path}/chart`, docker17);
    const why = expect.stringMatching(/team\/app:chart cannot be given.*not a container image/);
    expect([response.status, JSON.parse(response.text())]).toEqual([404, { error: why }]);
    expect(warnings(app).at(-1)?.facts).toMatchObject({ repository: 'team/app', tag: 'chart' });
  });

  it('that is missing is 404, without a warning', async () => {
    const { app } = over(manyTags('team/app', odd));
    expect((await app.get(`${path}/gone`, docker17)).status).toBe(404);
    expect(warnings(app)).toEqual([]);
  });
});

describe('…/images', () => {
  const images = '/v1/repositories/team/app/images';

  it('resolves no tag but latest when latest suffices', async () => {
    const { app, upstream } = over(manyTags('team/app', versions(150)));
    expect((await app.get(images, docker17)).status).toBe(200);
    expect(upstream.asked.filter((each) => /list|manifests\/[a-z]/.test(each))).toEqual([
      'HEAD /v2/team/app/manifests/latest',
      expect.stringContaining('manifests/sha256:'),
    ]);
  });

  it.each([
    ['there is no latest', { v1: 'sample/oci', v2: 'sample/helm-chart' }],
    ['latest is no image', { latest: 'sample/helm-chart', v1: 'sample/oci' }],
  ])('is 200 when one tag suffices: %s', async (_, tags) => {
    const { app } = over(manyTags('team/app', tags));
    expect((await app.get(images, docker17)).status).toBe(200);
  });

  it.each([
    [
      'none is an image',
      { v1: 'sample/helm-chart', latest: 'sample/helm-chart' },
      docker17,
      /latest, like its other tags \(1\), cannot.*not a container image/,
    ],
    [
      'none is for the platform',
      { v1: 'sample/list' },
      [['User-Agent', onArm[0][1].replace('arm64', 's390x')]] as const,
      /v1 cannot.*linux\/s390x.*linux\/amd64/,
    ],
  ])('names the reason, with a status whose body Docker shows: %s', async (_, tags, headers, why) => {
    const { app } = over(manyTags('team/app', tags));
    const response = await app.get(images, headers);
    expect([response.status, JSON.parse(response.text())]).toEqual([
      406,
      { error: expect.stringMatching(why) },
    ]);
  });

  it('is 404 for a repository that does not exist or has no tags', async () => {
    const { app } = over(manyTags('team/app', {}));
    for (const name of ['team/app', 'team/other']) {
      const response = await app.get(`/v1/repositories/${name}/images`, docker17);
      expect([response.status, JSON.parse(response.text())]).toEqual([
        404,
        { error: expect.stringContaining(name) },
      ]);
    }
  });

  it('is 200 when none of the resolved tags suffices, and there are more', async () => {
    const tags = { v1: 'sample/oci', v2: 'sample/helm-chart', v3: 'sample/helm-chart' };
    const { app } = over(manyTags('team/app', tags), { REGSHIFT_V1_TAGS: '2' });
    expect((await app.get(images, docker17)).status).toBe(200);
  });

  it.each([
    [429, 'TOOMANYREQUESTS', { 'Retry-After': '60' }],
    [503, 'UNAVAILABLE', {}],
  ])('passes on that upstream responds %i', async (status, code, headers) => {
    const { app } = over(() => specError(status, code, headers));
    const response = await app.get(images, docker17);
    expect(response.status).toBe(status);
    expect(response.header('Retry-After')).toBe(
      new Headers(headers as Record<string, string>).get('Retry-After'),
    );
    expect(JSON.parse(response.text())).toEqual({ error: expect.stringContaining(String(status)) });
  });
});
