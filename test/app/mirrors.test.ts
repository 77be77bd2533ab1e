import { describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { behindLogin, type Host, holding, type Network, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const near = 'http://near.test';
const far = 'https://far.test';
const latest = '/v2/team/app/manifests/latest';

function over(registries: Network, variables: Record<string, string> = {}): TestApp {
  const own = { REGSHIFT_UPSTREAM: `${near},${far}`, REGSHIFT_UPSTREAM_AUTH: 'anonymous', ...variables };
  return testApp(own, registries.fetch);
}

const oci = () => holding({ 'team/app': 'sample/oci' });
const status =
  (code: number, headers: Record<string, string> = {}): Host =>
  () =>
    Response.json({ errors: [{ code: 'X', message: 'as scripted' }] }, { status: code, headers });

describe('the first registry', () => {
  it('gets all requests while it responds', async () => {
    const both = network({ [near]: oci(), [far]: holding({ 'team/app': 'sample/schema2' }) });
    const response = await over(both).get(latest, docker19);
    expect([response.status, response.header('regshift-conversion')]).toEqual([200, 'oci -> schema1']);
    expect(both.at(far)).toEqual([]);
  });

  it.each([401, 403, 404, 429])('is not replaced by the next one when it refuses with %d', async (code) => {
    const challenge = { 'WWW-Authenticate': 'Basic realm="near"' };
    const both = network({ [near]: status(code, code === 401 ? challenge : {}), [far]: oci() });
    const app = over(both);
    const expected = { 401: 403, 403: 403, 404: 404, 429: 429 }[code];
    expect((await app.get(latest, docker19)).status).toBe(expected);
    expect((await app.get(`/v2/team/app/blobs/sha256:${'a'.repeat(64)}`)).status).toBe(expected);
    expect(both.at(far)).toEqual([]);
  });
});

describe('with REGSHIFT_MIRROR_MISS=next, the next one', () => {
  const next = { REGSHIFT_MIRROR_MISS: 'next' };

  it('gets what the first one does not have: manifests, blobs and lists', async () => {
    const both = network({ [near]: status(404), [far]: oci() });
    const app = over(both, next);
    const manifest = await app.get(latest, docker19);
    expect(manifest.status).toBe(200);
    expect((await app.head(latest, docker19)).header('docker-content-digest')).toBe(
      manifest.header('docker-content-digest'),
    );
    for (const { blobSum } of JSON.parse(manifest.text()).fsLayers as { blobSum: string }[]) {
      expect((await app.get(`/v2/team/app/blobs/${blobSum}`, docker19)).status).toBe(200);
    }
    expect((await app.get('/v2/team/app/tags/list')).status).toBe(200);
  });

  it.each([401, 403, 429])('does not get what the first one refuses with %d', async (code) => {
    const challenge = { 'WWW-Authenticate': 'Basic realm="near"' };
    const both = network({ [near]: status(code, code === 401 ? challenge : {}), [far]: oci() });
    expect((await over(both, next).get(latest, docker19)).status).toBe(code === 429 ? 429 : 403);
    expect(both.at(far)).toEqual([]);
  });

  it.each([404, 403, 429])('has the last word, with %d', async (code) => {
    const both = network({ [near]: status(404), [far]: status(code) });
    expect((await over(both, next).get(latest, docker19)).status).toBe(code);
  });

  it('is not asked for what the first one has', async () => {
    const both = network({ [near]: oci(), [far]: oci() });
    expect((await over(both, next).get(latest, docker19)).status).toBe(200);
    expect(both.at(far)).toEqual([]);
  });
});

describe('the next one', () => {
  it.each<[how: string, host: Host | undefined]>([
    ['cannot be reached', undefined],
    ['responds 500', status(500)],
    ['responds 503', status(503)],
    ['redirects in circles', () => new Response(null, { status: 307, headers: { Location: near } })],
  ])('gets the request when the first %s', async (_, host) => {
    const both = network({ ...(host ? { [near]: host } : {}), [far]: oci() });
    const app = over(both);
    const manifest = await app.get(latest, docker19);
    expect(manifest.status).toBe(200);
    const { fsLayers } = JSON.parse(manifest.text()) as { fsLayers: { blobSum: string }[] };
    for (const { blobSum } of fsLayers) {
      expect((await app.get(`/v2/team/app/blobs/${blobSum}`, docker19)).status).toBe(200);
    }
    expect((await app.get('/v2/team/app/tags/list')).status).toBe(200);
  });

  it.each<[how: string, body: () => ReadableStream<Uint8Array>, status: number]>([
    [
      'at once when a manifest of the first ends early',
      () => new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) }),
      200,
    ],
    [
      'by the next try when a manifest of the first stands still',
      () => new ReadableStream({ pull: () => undefined }),
      504,
    ],
  ])('is asked %s', async (_, body, status) => {
    const broken: Host = async (request, url) => {
      const response = await oci()(request, url);
      if (request.method === 'HEAD' || !url.pathname.includes('/manifests/')) return response;
      return new Response(body(), response);
    };
    const both = network({ [near]: broken, [far]: oci() });
    const app = over(both, { REGSHIFT_UPSTREAM_TIMEOUT: '1' });
    expect((await app.get(latest, docker19)).status).toBe(status);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(app.logged.map(({ message }) => message)).toContain(
      'a mirror fails, and the others are asked in its place',
    );
  });

  it('is tried first while the first one is marked as failing, and no longer', async () => {
    const both = network({ [far]: oci() });
    const app = over(both, { REGSHIFT_TAG_TTL: '0' });
    await app.get(latest, docker19);
    expect(both.at(near)).toHaveLength(1);
    both.forget();
    both.set(near, oci());
    await app.get(latest, docker19);
    expect(both.at(near)).toEqual([]);
    app.advance(31);
    both.forget();
    await app.get(latest, docker19);
    expect(both.at(near)).not.toEqual([]);
    expect(both.at(far)).toEqual([]);
  });

  it('is named in the log while it fails, once, and when it answers again', async () => {
    const both = network({ [far]: oci() });
    const app = over(both, { REGSHIFT_TAG_TTL: '0' });
    const told = () => app.logged.filter(({ message }) => message.startsWith('a mirror'));
    for (let request = 0; request < 3; request += 1) {
      await app.get(latest, docker19);
      app.advance(31);
    }
    const failing = {
      level: 'warn',
      message: 'a mirror fails, and the others are asked in its place',
      facts: { route: 'all', registry: near, reason: expect.stringContaining('near.test') },
    };
    expect(told()).toEqual([failing]);
    both.set(near, oci());
    await app.get(latest, docker19);
    const back = {
      level: 'info',
      message: 'a mirror answers again',
      facts: { route: 'all', registry: near },
    };
    expect(told()).toEqual([failing, back]);
  });

  it('fails with the error of the last registry when all fail', async () => {
    const response = await over(network({ [near]: status(500), [far]: status(503) })).get(latest, docker19);
    expect(response.status).toBe(503);
  });

  it('must not send other bytes for a digest', async () => {
    const both = network({ [near]: oci(), [far]: oci() });
    const app = over(both, { REGSHIFT_CACHE_BYTES: '0' });
    const stored = (await app.get(latest, docker19)).header('regshift-source-digest');
    await app.settled();
    both.set(near, undefined);
    const lying = holding({ 'team/app': 'sample/schema2' });
    both.set(far, (request, url) =>
      url.pathname.endsWith(stored ?? '') ? lying(request, new URL(`${far}${latest}`)) : oci()(request, url),
    );
    const response = await app.get(`/v2/team/app/manifests/${stored}`, [['Accept', '*/*']]);
    expect(response.status).toBe(502);
  });
});

describe('each registry', () => {
  const auth = (login: string) => ({ auth: btoa(login) });
  const config = JSON.stringify({ auths: { 'far.test': auth('far:secret') } });

  it('receives only its own login, and none without an entry', async () => {
    const both = network({ [near]: status(500), [far]: behindLogin(`Basic ${btoa('far:secret')}`, oci()) });
    const own = {
      REGSHIFT_UPSTREAM_AUTH: 'docker-config',
      REGSHIFT_DOCKER_CONFIG: config,
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    const app = over(both, own);
    expect((await app.get(latest, [...docker19, ['Authorization', `Basic ${btoa('alice:x')}`]])).status).toBe(
      200,
    );
    expect(new Set(both.at(near).map(({ authorization }) => authorization))).toEqual(new Set([null]));
    const shown = new Set(both.at(far).map(({ authorization }) => authorization));
    expect(shown).toEqual(new Set([null, `Basic ${btoa('far:secret')}`]));
  });

  it("that requires a login does not receive another's", async () => {
    const asks = behindLogin(`Basic ${btoa('far:secret')}`, oci());
    const both = network({ [near]: asks, [far]: asks });
    const own = {
      REGSHIFT_UPSTREAM_AUTH: 'docker-config',
      REGSHIFT_DOCKER_CONFIG: config,
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    expect((await over(both, own).get(latest, docker19)).status).toBe(403);
    expect(new Set(both.at(near).map(({ authorization }) => authorization))).toEqual(new Set([null]));
  });

  it('gets no push', async () => {
    const both = network({ [near]: oci(), [far]: oci() });
    const app = over(both);
    expect((await app.send('POST', '/v2/team/app/blobs/uploads/')).status).toBe(405);
    expect(both.asked).toEqual([]);
  });
});
