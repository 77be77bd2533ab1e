import { describe, expect, it } from 'vitest';
import { originsOf } from '../../src/upstream/origins.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

const uploads = '/v2/team/app/blobs/uploads/';
const own = `http://regshift.test${uploads}`;
const alice = 'Basic YWxpY2U6c2VjcmV0';
const body = new Uint8Array([1, 2, 3]);

const startingAt =
  (location: string): Script =>
  (request) =>
    request.method === 'POST'
      ? new Response(null, { status: 202, headers: { Location: location } })
      : undefined;

async function begin(app: TestApp, headers: Record<string, string> = {}): Promise<string> {
  const response = await app.send('POST', uploads, {
    Authorization: alice,
    'Content-Length': '0',
    ...headers,
  });
  expect(response.status).toBe(202);
  return response.header('Location') ?? '';
}

describe('a Location on another origin of the registry', () => {
  const upstream = new URL(upstreamUrl);
  const inner = 'http://registry.internal:5000';
  const aliases = { REGSHIFT_UPSTREAM_ALIASES: `${inner}, https://old.test` };

  /** The requests of an upload that goes on at a Location, and the logins that they carry. */
  async function uploadAt(location: string, variables: Record<string, string>) {
    const registry = scriptedUpstream((request, url) => {
      if (url.pathname === '/v2/')
        return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="a"' } });
      if (request.method === 'POST')
        return new Response(null, { status: 202, headers: { Location: location } });
      return new Response(null, { status: 201, headers: { Location: url.href } });
    });
    const app = testApp(variables, registry.fetch);
    const path = new URL(await begin(app)).pathname;
    const { search } = new URL(location);
    registry.forget();
    const digest = `sha256:${'a'.repeat(64)}`;
    await app.send(
      'PUT',
      `${path}${search ? `${search}&` : '?'}digest=${digest}`,
      { Authorization: alice },
      { body },
    );
    return { asked: registry.asked.filter((each) => each.startsWith('PUT')), carried: registry.carried };
  }

  it.each([`${inner}${uploads}u1?_state=a%2Bb`, `https://old.test${uploads}u1?_state=a%2Bb`])(
    'is asked at the address of the registry, with the login: %s',
    async (location) => {
      const { asked, carried } = await uploadAt(location, aliases);
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatch(new RegExp(`^PUT ${uploads}u1\\?_state=a%2Bb&digest=`));
      expect(carried).toContain(alice);
    },
  );

  it.each([
    ['another origin', `http://elsewhere.test${uploads}u1`],
    ['another port', `http://registry.internal:5001${uploads}u1`],
    ['another scheme', `https://registry.internal:5000${uploads}u1`],
    ['another repository', `${inner}/v2/team/other/blobs/uploads/u1`],
    ['another repository behind dots', `${inner}${uploads}../../../other/blobs/uploads/u1`],
    ['another path', `${inner}/storage/u1`],
  ])('is asked where it says, without a login, on %s', async (_, location) => {
    const { asked, carried } = await uploadAt(location, aliases);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(new URL(location).origin);
    expect(carried).not.toContain(alice);
  });

  it('is refused with a login in it', async () => {
    const app = testApp(
      aliases,
      scriptedUpstream(startingAt(`http://a:b@registry.internal:5000${uploads}u1`)).fetch,
    );
    const response = await app.send('POST', uploads, { Authorization: alice, 'Content-Length': '0' });
    expect(response.status).toBe(502);
  });

  it('is one of localhost where the registry is one', () => {
    for (const [own, other] of [
      ['http://127.0.0.1:5000', 'http://localhost:5000'],
      ['http://localhost:5000', 'http://[::1]:5000'],
      ['https://localhost', 'https://127.0.0.1'],
    ] as const) {
      expect([...originsOf(new URL(own), [])]).toContain(other);
    }
    expect([...originsOf(new URL('http://localhost:5000'), [])]).not.toContain('http://localhost:5001');
    expect([...originsOf(upstream, [])]).toEqual([]);
  });
});

describe('the Location of an upload', () => {
  it.each([
    [`${uploads}u1`, `${own}u1`],
    [`${uploads}u1?_state=a%2Bb%3D&x=1`, `${own}u1?_state=a%2Bb%3D&x=1`],
    [`${upstreamUrl}${uploads}u-1_2.3~=?_state=x`, `${own}u-1_2.3~=?_state=x`],
    // Relative to the request (RFC 3986, section 5.2).
    ['u1?_state=x', `${own}u1?_state=x`],
  ])('%s is %s for the client', async (location, expected) => {
    const app = testApp({}, scriptedUpstream(startingAt(location)).fetch);
    expect(await begin(app)).toBe(expected);
  });

  it('starts with REGSHIFT_PUBLIC_URL, and has the name that the client uses', async () => {
    const variables = {
      REGSHIFT_PUBLIC_URL: 'https://hub.test/registry',
      REGSHIFT_ALIASES: 'short=team/app',
    };
    const app = testApp(variables, scriptedUpstream(startingAt(`${uploads}u1`)).fetch);
    const response = await app.send('POST', '/v2/short/blobs/uploads/');
    expect(response.header('Location')).toBe('https://hub.test/registry/v2/short/blobs/uploads/u1');
  });

  it('is a path when TLS ends in front of the proxy, because http: would be wrong', async () => {
    const app = testApp({}, scriptedUpstream(startingAt(`${uploads}u1`)).fetch);
    expect(await begin(app, { 'X-Forwarded-Proto': 'https' })).toBe(`${uploads}u1`);
  });

  it.each([`${uploads}u1`, `${upstreamUrl}${uploads}u1`])(
    "is a path for Azure's SDK, which cuts off its first character: %s",
    async (location) => {
      const app = testApp({}, scriptedUpstream(startingAt(location)).fetch);
      const userAgent = 'azsdk-js-container-registry/1.1.0-beta.4 core-rest-pipeline/1.25.1';
      expect(await begin(app, { 'User-Agent': userAgent })).toBe(`${uploads}u1`);
    },
  );

  it('belongs to a registry that names itself http: behind TLS', async () => {
    const plain = `http://tls.test${uploads}u1?_state=x`;
    const app = testApp({ REGSHIFT_UPSTREAM: 'https://tls.test' }, scriptedUpstream(startingAt(plain)).fetch);
    expect(await begin(app)).toBe(`${own}u1?_state=x`);
  });
});

describe('an upload location outside the repository', () => {
  const query = '?digest=sha256%3Aab';

  it.each([
    [`/artifacts-uploads/u1`, `PUT /artifacts-uploads/u1${query}`, alice],
    [`/v2/other/blobs/uploads/u1?s=1`, `PUT /v2/other/blobs/uploads/u1?s=1&${query.slice(1)}`, alice],
    [`${uploads}deeper/u1`, `PUT ${uploads}deeper/u1${query}`, alice],
    [
      `https://storage.test/b%2Fc?sig=a%2Bb`,
      `PUT https://storage.test/b%2Fc?sig=a%2Bb&${query.slice(1)}`,
      null,
    ],
    [`http://registry.test:8080/u1`, `PUT http://registry.test:8080/u1${query}`, null],
  ])(
    '%s is reached through the proxy, with a login for the registry alone',
    async (location, asked, carried) => {
      const upstream = scriptedUpstream((request, url) => {
        if (request.method === 'PUT') return specError(400, 'DIGEST_INVALID');
        return startingAt(location)(request, url);
      });
      const app = testApp({}, upstream.fetch);
      const sealed = await begin(app);
      expect(sealed).toMatch(/^http:\/\/regshift\.test\/v2\/team\/app\/blobs\/uploads\/elsewhere\.[\w.-]+$/);
      upstream.forget();
      const path = `${sealed.replace('http://regshift.test', '')}${query}`;
      const response = await app.send('PUT', path, { Authorization: alice }, { body });
      expect([response.status, response.error().code]).toEqual([400, 'DIGEST_INVALID']);
      expect(upstream.asked.at(-1)).toBe(asked);
      expect(upstream.carried.at(-1)).toBe(carried);
    },
  );

  it('that requires a login gets none', async () => {
    const upstream = scriptedUpstream((request, url) =>
      url.host === 'storage.test'
        ? specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic' })
        : startingAt('https://storage.test/u')(request, url),
    );
    const app = testApp({}, upstream.fetch);
    const path = (await begin(app)).replace('http://regshift.test', '');
    const response = await app.send('PATCH', path, { Authorization: alice }, { body });
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([502, null]);
    expect(upstream.carried.at(-1)).toBeNull();
  });

  it('is updated after each chunk, relative to the last location', async () => {
    const upstream = scriptedUpstream((request, url) => {
      if (request.method === 'POST') return startingAt('https://storage.test/up/1')(request, url);
      return new Response(null, { status: 202, headers: { Location: '2?part=2' } });
    });
    const app = testApp({}, upstream.fetch);
    let at = (await begin(app)).replace('http://regshift.test', '');
    for (const expected of ['https://storage.test/up/1', 'https://storage.test/up/2?part=2']) {
      const response = await app.send('PATCH', at, {}, { body });
      expect(upstream.asked.at(-1)).toBe(`PATCH ${expected}`);
      at = response.header('Location')?.replace('http://regshift.test', '') ?? '';
    }
  });

  it.each(['ftp://storage.test/u', 'https://user:word@storage.test/u', 'https://[bad'])(
    '%s is not followed',
    async (location) => {
      const app = testApp({}, scriptedUpstream(startingAt(location)).fetch);
      const response = await app.send('POST', uploads);
      expect([response.status, response.text()]).toEqual([502, expect.not.stringContaining('word')]);
    },
  );

  it('is refused when it is altered, of another repository, of another upstream, or a day old', async () => {
    const upstream = scriptedUpstream(startingAt('https://storage.test/u'));
    const app = testApp({}, upstream.fetch);
    const path = (await begin(app)).replace('http://regshift.test', '');
    const refused = async (by: TestApp, at: string) => {
      upstream.forget();
      const response = await by.send('PUT', at, {}, { body });
      expect([response.status, response.error().code, upstream.asked]).toEqual([
        404,
        'BLOB_UPLOAD_UNKNOWN',
        [],
      ]);
    };
    await refused(app, `${path.slice(0, -9)}AAAAAAAA`);
    await refused(app, path.replace('team/app', 'team/other'));
    await refused(app, `${uploads}elsewhere.x`);
    await refused(testApp({ REGSHIFT_UPSTREAM: 'http://other.test' }, upstream.fetch), path);
    app.advance(25 * 60 * 60);
    await refused(app, path);
  });

  it('is in no log', async () => {
    const app = testApp({}, scriptedUpstream(startingAt('https://storage.test/u')).fetch);
    const path = (await begin(app)).replace('http://regshift.test', '');
    await app.send('PUT', path, {}, { body });
    expect(app.logged.length).toBeGreaterThan(1);
    expect(JSON.stringify(app.logged)).not.toContain(path.slice(-30));
  });
});
