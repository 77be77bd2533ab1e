import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { type RequestHeaders, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const proxysOwn = `Basic ${btoa('proxy:hidden')}`;
const alice = `Basic ${btoa('alice:secret')}`;
const challenge = 'Basic realm="regshift"';

const service = {
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'proxy',
  REGSHIFT_UPSTREAM_PASSWORD: 'hidden',
};
const byHtpasswd = {
  ...service,
  REGSHIFT_CLIENT_AUTH: 'basic',
  REGSHIFT_HTPASSWD: 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq',
};

const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] });
const jwtRules = { REGSHIFT_JWT_ISSUER: 'https://issuer.test', REGSHIFT_JWT_AUDIENCE: 'regshift' };
const byJwt = { ...service, REGSHIFT_CLIENT_AUTH: 'jwt', ...jwtRules, REGSHIFT_JWKS: jwks };
/** The clock of these tests starts at 2026-01-01. */
const expiry = Date.UTC(2026, 0, 1) / 1000 + 300;
const jwt = await new SignJWT({ iss: 'https://issuer.test', aud: 'regshift', sub: 'ci', exp: expiry })
  .setProtectedHeader({ alg: 'EdDSA', kid: 'k' })
  .sign(privateKey);

const as = (authorization: string | undefined): RequestHeaders =>
  authorization === undefined ? docker19 : [...docker19, ['Authorization', authorization]];

const paths = [
  '/v2/',
  '//v2/',
  latest,
  '/v2/sample/oci/tags/list',
  `/v2/sample/oci/blobs/sha256:${'0'.repeat(64)}`,
  '/v2/sample/oci/blobs/sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4',
  '/v2/NOT A NAME/manifests/x',
  '/token',
  '/nowhere',
];

describe.each([
  ['htpasswd', byHtpasswd, alice, [`Basic ${btoa('alice:wrong')}`, `Basic ${btoa('bob:secret')}`, proxysOwn]],
  ['JWT as a password', byJwt, `Basic ${btoa(`any:${jwt}`)}`, [`Basic ${btoa(`any:${jwt}x`)}`, alice]],
  ['JWT as Bearer', byJwt, `Bearer ${jwt}`, [`Bearer ${jwt.slice(0, -5)}`, 'Bearer nonsense-token', alice]],
])('clients with %s', (_name, variables, right, wrong) => {
  it('are told to log in, where podman and skopeo without a login send an empty one', async () => {
    const app = testApp(variables, scriptedUpstream().fetch);
    const [none, empty] = [
      await app.get(latest, as(undefined)),
      await app.get(latest, as(`Basic ${btoa(':')}`)),
    ];
    expect([empty.status, empty.error()]).toEqual([401, none.error()]);
    expect(none.error().message).toMatch(/^Log in with a /);
  });

  it('are refused by API v1 too, with an error in its own format', async () => {
    const app = testApp(variables, scriptedUpstream().fetch);
    for (const authorization of [undefined, ...wrong]) {
      const response = await app.get('/v1/_ping', as(authorization));
      expect([response.status, response.header('WWW-Authenticate')]).toEqual([401, challenge]);
      expect(JSON.parse(response.text())).toEqual({ error: expect.any(String) });
    }
  });

  it.each(paths)('are refused at %s without a login, and with a wrong one', async (path) => {
    const upstream = scriptedUpstream();
    const app = testApp(variables, upstream.fetch);
    for (const authorization of [undefined, 'Basic', 'Bearer', ...wrong]) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT']) {
        const response = await app.send(method, path, as(authorization));
        expect([response.status, response.header('WWW-Authenticate')]).toEqual([401, challenge]);
        expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
        if (method !== 'HEAD') expect(response.error().code).toBe('UNAUTHORIZED');
      }
    }
    expect(upstream.asked).toEqual([]);
  });

  it('are accepted with a right login, and upstream receives only the account of the proxy', async () => {
    const upstream = scriptedUpstream(privateTo(proxysOwn));
    const app = testApp(variables, upstream.fetch);
    for (const path of ['/v2/', latest, '/v2/sample/oci/tags/list']) {
      expect((await app.get(path, as(right))).status).toBe(200);
    }
    expect(new Set(upstream.carried)).toEqual(new Set([null, proxysOwn]));
    expect(upstream.carried.at(-1)).toBe(proxysOwn);
  });

  it('do not get the cached response of another client', async () => {
    const app = testApp(variables, scriptedUpstream(privateTo(proxysOwn)).fetch);
    const given = await app.get(latest, as(right));
    const digest = given.header('Docker-Content-Digest');
    for (const path of [latest, `/v2/sample/oci/manifests/${digest}`]) {
      for (const authorization of [undefined, ...wrong]) {
        expect((await app.get(path, as(authorization))).status).toBe(401);
      }
      expect((await app.get(path, as(right))).status).toBe(200);
    }
  });

  it('have their login in no log and no message', async () => {
    const app = testApp(variables, scriptedUpstream().fetch);
    const responses = [await app.get(latest, as(right))];
    for (const authorization of wrong) responses.push(await app.get(latest, as(authorization)));
    const written = JSON.stringify(app.logged) + responses.map((response) => response.text()).join();
    for (const value of [right, ...wrong]) expect(written).not.toContain(value.replace(/^\w+ /, ''));
    expect(written).not.toMatch(/alice|secret|hidden/);
  });
});

describe('a proxy with its own account upstream', () => {
  it('shows its health to everyone', async () => {
    expect((await testApp(byHtpasswd, scriptedUpstream().fetch).get('/healthz')).status).toBe(200);
  });

  it('accepts everyone with REGSHIFT_CLIENT_AUTH=none', async () => {
    const upstream = scriptedUpstream(privateTo(proxysOwn));
    const app = testApp({ ...service, REGSHIFT_CLIENT_AUTH: 'none' }, upstream.fetch);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(upstream.carried).not.toContain(alice);
  });

  it('uses the login of a Docker configuration', async () => {
    const config = { auths: { 'registry.test': { auth: btoa('proxy:hidden') } } };
    const upstream = scriptedUpstream(privateTo(proxysOwn));
    const app = testApp(
      {
        REGSHIFT_UPSTREAM_AUTH: 'docker-config',
        REGSHIFT_DOCKER_CONFIG: JSON.stringify(config),
        REGSHIFT_CLIENT_AUTH: 'none',
      },
      upstream.fetch,
    );
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(upstream.carried.at(-1)).toBe(proxysOwn);
  });

  it('may authenticate its clients without an account upstream', async () => {
    const { REGSHIFT_CLIENT_AUTH, REGSHIFT_HTPASSWD } = byHtpasswd;
    const upstream = scriptedUpstream();
    const variables = { REGSHIFT_UPSTREAM_AUTH: 'anonymous', REGSHIFT_CLIENT_AUTH, REGSHIFT_HTPASSWD };
    const app = testApp(variables, upstream.fetch);
    expect((await app.get(latest, as(undefined))).status).toBe(401);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(new Set(upstream.carried)).toEqual(new Set([null]));
  });

  it.each([
    [
      'with an account that is refused',
      { ...service, REGSHIFT_CLIENT_AUTH: 'none' },
      'an account of its own',
    ],
    ['without an account', { REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, 'without a login'],
  ])("does not pass on upstream's challenge, %s", async (_name, variables, words) => {
    for (const scheme of ['Basic realm="r"', 'Bearer realm="https://auth.test/token"']) {
      const script: Script = (_request, url) =>
        specError(401, 'UNAUTHORIZED', url.host === 'auth.test' ? {} : { 'WWW-Authenticate': scheme });
      const app = testApp(variables, scriptedUpstream(script).fetch);
      for (const path of [
        latest,
        '/v2/sample/oci/tags/list',
        `/v2/sample/oci/blobs/sha256:${'0'.repeat(64)}`,
      ]) {
        const response = await app.get(path, as(alice));
        expect([response.status, response.header('WWW-Authenticate')]).toEqual([403, null]);
        expect(response.error()).toMatchObject({ code: 'DENIED', message: expect.stringContaining(words) });
      }
      expect((await app.get('/v2/', as(alice))).status).toBe(200);
    }
  });

  it('issues no tokens', async () => {
    const app = testApp({ ...service, REGSHIFT_CLIENT_AUTH: 'none' }, scriptedUpstream().fetch);
    expect((await app.get('/token?service=registry.test')).status).toBe(404);
  });
});

describe('JWT keys at a URL', () => {
  const variables = {
    ...service,
    REGSHIFT_CLIENT_AUTH: 'jwt',
    ...jwtRules,
    REGSHIFT_JWKS_URL: 'https://issuer.test/keys',
  };

  it('are fetched once, without a credential', async () => {
    const upstream = scriptedUpstream((_request, url) =>
      url.host === 'issuer.test' ? new Response(jwks) : undefined,
    );
    const app = testApp(variables, upstream.fetch);
    for (const _ of [1, 2]) expect((await app.get('/v2/', as(`Bearer ${jwt}`))).status).toBe(200);
    expect([upstream.asked, upstream.carried]).toEqual([['GET https://issuer.test/keys'], [null]]);
  });

  it('that are not available are 503, not a wrong login', async () => {
    const app = testApp(variables, scriptedUpstream().fetch);
    const response = await app.get('/v2/', as(`Bearer ${jwt}`));
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([503, null]);
    expect(response.error().message).toContain('issuer.test');
    expect((await app.get('/v2/')).status).toBe(401);
  });
});
