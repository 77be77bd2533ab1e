import { base64url, EncryptJWT, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSigningKey } from '../../converters/crypto/signing-key.ts';
import { deriveStateKeys } from '../../src/client-state/keys.ts';
import { type TestApp, testApp, upstreamUrl } from '../support/app.ts';
import { privateTo, type Script, scriptedUpstream, type Upstream } from '../support/scripted-upstream.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { ancestry, idOfTag } from '../support/v1-pull.ts';
import { v1Session } from '../support/v1-session.ts';

const alice = `Basic ${btoa('alice:secret')}`;

/** `sample/schema2` is private to alice; all else is public. */
const partlyPrivate: Script = (request, url) =>
  url.pathname.startsWith('/v2/sample/schema2/') ? privateTo(alice)(request, url) : undefined;

let upstream: Upstream;
let app: TestApp;
beforeEach(() => {
  upstream = scriptedUpstream(partlyPrivate);
  app = testApp({}, upstream.fetch);
});

async function begun(name: string, login?: string) {
  const session = v1Session({ daemon: v1Daemons['Docker 1.9.1'], http: app.send, login });
  const id = await idOfTag(session, name, 'latest');
  const [prefix = ''] = /^\/v1ctx\/[^/]+/.exec(session.asked.at(-1) ?? '') ?? [];
  return { session, id, prefix };
}

/** The sealed context and token that the proxy sends at the beginning of a pull. */
async function sealed(name: string, authorization?: string) {
  const headers: Record<string, string> = authorization ? { Authorization: authorization } : {};
  const response = await app.get(`/v1/repositories/${name}/images`, headers);
  const context = response.header('X-Docker-Endpoints')?.split('/').at(-1) ?? '';
  return { context, token: response.header('X-Docker-Token') ?? '' };
}

const everything = ['ancestry', 'json', 'layer'];

describe('an id of another repository (CVE-2014-8178)', () => {
  it('is not found, although it is cached and the other repository is public', async () => {
    const other = await begun('sample/oci-no-history');
    await ancestry(other.session, other.id);
    const { prefix } = await begun('sample/oci');
    upstream.forget();
    for (const what of everything) {
      const response = await app.get(`${prefix}/v1/images/${other.id}/${what}`);
      expect(response.status).toBe(404);
      expect(JSON.parse(response.text())).toEqual({ error: expect.stringContaining('in sample/oci') });
    }
    // No request names the other repository or its image: the proxy has no table of ids.
    expect(upstream.asked).toEqual(['GET /v2/sample/oci/tags/list', 'HEAD /v2/sample/oci/manifests/1.0']);
  });

  it('is not found with a cookie that names its image', async () => {
    const other = await begun('sample/schema2', 'alice:secret');
    const tag = await app.get('/v2/sample/schema2/manifests/latest', { Accept: '*/*', Authorization: alice });
    const { prefix } = await begun('sample/oci');
    const headers = { Cookie: `regshift-root=${tag.header('Docker-Content-Digest')}` };
    for (const what of everything) {
      expect((await app.get(`${prefix}/v1/images/${other.id}/${what}`, headers)).status).toBe(404);
    }
  });

  it('that does not exist causes a search once in half a minute', async () => {
    // The tags are not cached.
    app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const { prefix } = await begun('sample/oci');
    const path = `${prefix}/v1/images/${'0'.repeat(64)}/json`;
    expect((await app.get(path)).status).toBe(404);
    upstream.forget();
    app.advance(20);
    expect((await app.get(path)).status).toBe(404);
    expect(upstream.asked).toEqual([]);
    app.advance(20);
    expect((await app.get(path)).status).toBe(404);
    expect(upstream.asked).not.toEqual([]);
  });
});

describe('a private image by its id', () => {
  it('is refused to a client with a context of the same or of another repository', async () => {
    const { session, id, prefix } = await begun('sample/schema2', 'alice:secret');
    await ancestry(session, id);
    for (const what of everything) {
      expect((await app.get(`${prefix}/v1/images/${id}/${what}`)).status).toBe(401);
      const token = (await sealed('sample/oci')).token;
      const headers = { Authorization: `Token ${token}` };
      expect((await app.get(`${prefix}/v1/images/${id}/${what}`, headers)).status).toBe(401);
    }
  });

  it('is 404 at an address without a repository', async () => {
    const { id } = await begun('sample/schema2', 'alice:secret');
    for (const headers of [{}, { Authorization: alice }] as Record<string, string>[]) {
      const response = await app.get(`/v1/images/${id}/json`, headers);
      expect([response.status, response.text()]).toEqual([
        404,
        expect.stringContaining('X-Docker-Endpoints'),
      ]);
    }
  });
});

describe('a tampered context or token', () => {
  const get = (context: string, token: string | undefined) =>
    app.get(
      `/v1ctx/${context}/v1/repositories/sample/schema2/tags`,
      token ? { Authorization: `Token ${token}` } : {},
    );

  it('is 401 for each altered character, without a request to upstream', async () => {
    const { context, token } = await sealed('sample/schema2', alice);
    expect((await get(context, token)).status).toBe(200);
    upstream.forget();
    for (const claim of [context, token]) {
      for (let at = 0; at < claim.length; at += 7) {
        const altered = claim.slice(0, at) + (claim[at] === 'A' ? 'B' : 'A') + claim.slice(at + 1);
        const response = await (claim === context ? get(altered, token) : get(context, altered));
        // The last characters of base64url may hold unused bits; jose refuses or ignores them.
        if (response.status !== 200) expect([at, response.status]).toEqual([at, 401]);
        else
          expect(base64url.decode(altered.split('.').at(-1) ?? '')).toEqual(
            base64url.decode(claim.split('.').at(-1) ?? ''),
          );
      }
    }
  });

  it.each(['', '.', '..%2f', 'a.b.c', 'a.b.c.d.e', '%00', 'x'.repeat(5000)])(
    '%j is refused',
    async (junk) => {
      const { context, token } = await sealed('sample/schema2', alice);
      expect((await get(junk, token)).status).toBe(junk === '' ? 404 : 401);
      if (junk !== '') expect((await get(context, junk)).status).toBe(401);
    },
  );

  it('is refused when it was sealed for the other use', async () => {
    const { context, token } = await sealed('sample/schema2', alice);
    expect((await get(token, token)).status).toBe(401);
    expect((await get(context, context)).status).toBe(401);
  });

  it('is refused when it is forged without the keys, or with the key of the other use', async () => {
    const keys = await deriveStateKeys(
      await readSigningKey(JSON.stringify(testSigningKey)),
      `${upstreamUrl} all`,
    );
    const facts = { repository: 'sample/schema2' };
    const exp = Math.floor(Date.UTC(2027, 0, 1) / 1000);
    const none = [{ alg: 'none' }, facts].map((each) => base64url.encode(JSON.stringify(each))).join('.');
    const sign = (key: Uint8Array) => new SignJWT(facts).setProtectedHeader({ alg: 'HS256' }).sign(key);
    const encrypt = (key: Uint8Array) =>
      new EncryptJWT({ ...facts, authorization: alice })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(exp)
        .encrypt(key);
    const { token, context } = await sealed('sample/schema2', alice);
    for (const forged of [`${none}.`, await sign(keys.token), await sign(new Uint8Array(32))]) {
      expect((await get(forged, token)).status).toBe(401);
    }
    for (const forged of [await encrypt(keys.context), await encrypt(new Uint8Array(32))]) {
      expect((await get(context, forged)).status).toBe(401);
    }
    // Both are accepted with the right keys: the keys alone are the reason for the refusals above.
    expect((await get(await sign(keys.context), await encrypt(keys.token))).status).toBe(200);
  });

  it('is refused without an expiry', async () => {
    const keys = await deriveStateKeys(
      await readSigningKey(JSON.stringify(testSigningKey)),
      `${upstreamUrl} all`,
    );
    const endless = await new EncryptJWT({ repository: 'sample/schema2', authorization: alice })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(keys.token);
    const { context } = await sealed('sample/schema2', alice);
    expect((await get(context, endless)).status).toBe(401);
  });
});

describe('a replayed context or token', () => {
  it('is 401 for another repository: by address, by name, with the address of another pull', async () => {
    const mine = await sealed('sample/schema2', alice);
    const other = await sealed('sample/oci');
    const headers = { Authorization: `Token ${mine.token}` };
    for (const path of [
      '/v1/repositories/sample/oci/tags',
      '/v1/repositories/sample/oci/tags/latest',
      `/v1ctx/${mine.context}/v1/repositories/sample/oci/tags`,
      `/v1ctx/${other.context}/v1/repositories/sample/oci/tags`,
      `/v1ctx/${other.context}/v1/repositories/sample/schema2/tags`,
    ]) {
      expect([path, (await app.get(path, headers)).status]).toEqual([path, 401]);
    }
  });

  it('is 401 for a search and a check of its login, which are about all repositories', async () => {
    const { context, token } = await sealed('sample/schema2', alice);
    upstream.forget();
    const headers = { Authorization: `Token ${token}` };
    for (const path of ['/v1/search?q=', '/v1/users/', `/v1ctx/${context}/v1/search?q=`]) {
      expect([path, (await app.get(path, headers)).status]).toEqual([path, 401]);
    }
    expect(upstream.asked).toEqual([]);
  });

  it('is 401 at a proxy in front of another registry that has the same signing key', async () => {
    const mine = await sealed('sample/schema2', alice);
    const elsewhere = scriptedUpstream(() => new Response('{}'));
    const other = testApp({ REGSHIFT_UPSTREAM: 'http://evil.test' }, elsewhere.fetch);
    const headers = { Authorization: `Token ${mine.token}` };
    for (const path of [
      '/v1/repositories/sample/schema2/tags',
      `/v1ctx/${mine.context}/v1/repositories/sample/schema2/tags`,
    ]) {
      expect((await other.get(path, headers)).status).toBe(401);
    }
    expect(elsewhere.asked).toEqual([]);
  });

  it('is accepted for its own repository without the context, and its login is sent to upstream', async () => {
    const { token } = await sealed('sample/schema2', alice);
    upstream.forget();
    app.advance(31);
    const headers = { Authorization: `Token ${token}` };
    expect((await app.get('/v1/repositories/sample/schema2/tags/latest', headers)).status).toBe(200);
    expect(new Set(upstream.carried)).toEqual(new Set([alice]));
  });
});

describe('unusual paths', () => {
  const id = '0'.repeat(64);
  it.each([
    ['/v1/repositories/sample/../../secret/images', 404],
    ['/v1/repositories/sample/%2e%2e/%2e%2e/secret/images', 404],
    ['/v1/repositories/sample%2foci/images', 200],
    ['/v1/repositories/sample%252foci/images', 400],
    ['/v1/repositories/sample/oci%00/images', 400],
    ['/v1/repositories/Sample/oci/images', 400],
    ['/v1/repositories//sample/oci/images', 400],
    ['/v1/repositories/sample//oci/images', 400],
    ['/v1/repositories/sample/oci/images?x=/../../', 200],
    ['/v1/repositories/sample\\..\\sample\\oci/images', 200],
    [`/v1/repositories/${'a/'.repeat(128)}a/images`, 400],
    ['/v1/repositories/_catalog/images', 400],
    ['/v1/repositories/sample/oci/tags/..%2f..%2fx', 400],
    ['/v1/repositories/sample/oci/tags/a:b', 400],
    ['/v1/repositories/sample/oci/tags/sha256:x', 400],
    [`/v1/images/${id.slice(1)}/json`, 404],
    [`/v1/images/${id.slice(1)}A/json`, 404],
    [`/v1/images/../images/${id}/json`, 404],
    [`/v1/images/${id}/../../../v2/`, 200],
    ['/v1ctx/x', 404],
    ['/v1ctx//v1/_ping', 404],
    ['/v1ctx/%2e%2e/v1/_ping', 200],
    ['/v1', 404],
    ['/v1/', 404],
    ['/v1/constructor', 404],
    ['/v1/__proto__', 404],
    ['/v1/repositories/images', 404],
  ])('%s: %i', async (path, status) => {
    const response = await app.get(path);
    expect(response.status).toBe(status);
    if (status !== 200) expect(JSON.parse(response.text())).toEqual({ error: expect.any(String) });
    const own = upstream.asked.every((each) =>
      /^(GET|HEAD) \/v2\/(sample\/oci\/|library\/|secret\/|$)/.test(each),
    );
    expect([upstream.asked, own]).toEqual([upstream.asked, true]);
  });
});

describe('a token', () => {
  it.each(['Token', 'Token ', 'token   '])(
    '%j is treated as no login, and is not sent to upstream',
    async (authorization) => {
      const response = await app.get('/v1/repositories/sample/oci/tags', { Authorization: authorization });
      expect(response.status).toBe(200);
      expect(new Set(upstream.carried)).toEqual(new Set([null]));
    },
  );

  it('is not sent to upstream', async () => {
    const { token } = await sealed('sample/oci');
    await app.get('/v1/repositories/sample/oci/tags', { Authorization: `Token ${token}` });
    expect(new Set(upstream.carried)).toEqual(new Set([null]));
  });
});
