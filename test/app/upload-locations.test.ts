import { describe, expect, it } from 'vitest';
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
