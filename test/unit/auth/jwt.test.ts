import { createSign, generateKeyPairSync } from 'node:crypto';
import {
  base64url,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClientAuth } from '../../../src/auth/client-auth.ts';
import { createJwtAuth } from '../../../src/auth/jwt.ts';
import type { Log } from '../../../src/observability/log.ts';
import { answer, startServer } from '../upstream/local-server.ts';

const now = Date.UTC(2026, 0, 1);
const seconds = now / 1000;
const right: JWTPayload = { iss: 'https://issuer.test', aud: 'regshift', sub: 'ci', exp: seconds + 300 };

interface Signer {
  readonly algorithm: string;
  readonly pair: GenerateKeyPairResult;
}

async function signer(algorithm: string): Promise<Signer> {
  return { algorithm, pair: await generateKeyPair(algorithm, { extractable: true }) };
}

const signers = {
  RS256: await signer('RS256'),
  ES256: await signer('ES256'),
  EdDSA: await signer('EdDSA'),
  ES384: await signer('ES384'),
  PS256: await signer('PS256'),
};
const stranger = await signer('ES256');

async function jwkOf({ algorithm, pair }: Signer) {
  return { ...(await exportJWK(pair.publicKey)), kid: algorithm, alg: algorithm };
}

const keys = { keys: await Promise.all(Object.values(signers).map(jwkOf)) };

function sign({ algorithm, pair }: Signer, claims: JWTPayload, kid = algorithm): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(pair.privateKey);
}

function authBy(
  where: typeof keys | URL,
  clock = () => 0,
  wallClock = () => new Date(now),
  log: Log = () => undefined,
): ClientAuth {
  return createJwtAuth({
    keys: where,
    issuer: 'https://issuer.test',
    audience: 'regshift',
    fetch: (url, init) => fetch(url, init),
    clock,
    wallClock,
    log,
  });
}

const auth = authBy(keys);
const attempt = (headers: Record<string, string>) => ({
  headers: new Headers(headers),
  address: '192.0.2.1',
  signal: undefined,
});
const bearer = (token: string) => attempt({ authorization: `Bearer ${token}` });
const password = (token: string) => attempt({ authorization: `Basic ${btoa(`any:${token}`)}` });

describe('a JWT', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'signed by %s is accepted, as a password and as a Bearer value',
    async (name) => {
      const token = await sign(signers[name], right);
      for (const login of [password(token), bearer(token)]) {
        expect(await auth.authenticate(login)).toEqual({ ok: true, subject: 'ci' });
      }
    },
  );

  it('may be for several audiences, and half a minute late', async () => {
    const token = await sign(signers.ES256, { ...right, aud: ['other', 'regshift'], exp: seconds - 29 });
    expect(await auth.authenticate(password(token))).toMatchObject({ ok: true });
  });

  describe('that names no key, where several fit,', () => {
    const newer = { ...stranger, algorithm: 'ES256' };
    const signed = ({ algorithm, pair }: Signer, claims: JWTPayload) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm }).sign(pair.privateKey);
    const rotating = async () => authBy({ keys: await Promise.all([signers.ES256, newer].map(jwkOf)) });

    it('is accepted by each of them', async () => {
      const both = await rotating();
      for (const each of [signers.ES256, newer]) {
        expect(await both.authenticate(password(await signed(each, right)))).toMatchObject({ ok: true });
      }
    });

    it.each<[what: string, by: () => Signer | Promise<Signer>, claims: JWTPayload, reason: RegExp]>([
      ['by none of them', () => signer('ES256'), right, /not signed by a key of this proxy/],
      ['late', () => newer, { ...right, exp: seconds - 31 }, /has expired/],
    ])('is refused with its reason: %s', async (_what, by, claims, reason) => {
      const admission = await (await rotating()).authenticate(password(await signed(await by(), claims)));
      expect(admission).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    });
  });

  it('of a key that cannot be used is no wrong login, and no error of the proxy', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { ...publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' };
    const parts = [{ alg: 'RS256', kid: 'short' }, right].map((part) =>
      base64url.encode(JSON.stringify(part)),
    );
    const signature = createSign('sha256').update(parts.join('.')).sign(privateKey, 'base64url');
    const token = [...parts, signature].join('.');
    await expect(authBy({ keys: [short] } as never).authenticate(password(token))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringMatching(/^The key of this JWT, in REGSHIFT_JWKS .*2048 bits/),
    });
  });

  it.each<[what: string, token: () => string | Promise<string>, reason: RegExp]>([
    ['that has expired', () => sign(signers.ES256, { ...right, exp: seconds - 31 }), /has expired/],
    [
      'that never expires',
      () => sign(signers.ES256, { iss: right.iss, aud: 'regshift' } as JWTPayload),
      /"exp"/,
    ],
    ['that is not good yet', () => sign(signers.ES256, { ...right, nbf: seconds + 60 }), /"nbf"/],
    ['of another issuer', () => sign(signers.ES256, { ...right, iss: 'https://issuer.test/' }), /"iss"/],
    ['for another audience', () => sign(signers.ES256, { ...right, aud: 'regshift2' }), /"aud"/],
    [
      'without an audience',
      () => sign(signers.ES256, { iss: right.iss, exp: right.exp } as JWTPayload),
      /"aud"/,
    ],
    ['of a stranger', () => sign(stranger, right), /not signed by a key/],
    ['of a key that is not known', () => sign(stranger, right, 'other'), /not signed by a key/],
    ['signed by ES384', () => sign(signers.ES384, right), /RS256, ES256, EdDSA/],
    ['signed by PS256', () => sign(signers.PS256, right), /RS256, ES256, EdDSA/],
    ['without a signature', () => new UnsecuredJWT(right).encode(), /./],
    ['that is not a JWT', () => 'secret', /not a JWT/],
    [
      'signed by HMAC with a public key as the secret',
      () =>
        new SignJWT(right)
          .setProtectedHeader({ alg: 'HS256', kid: 'ES256' })
          .sign(new TextEncoder().encode(JSON.stringify(keys))),
      /RS256, ES256, EdDSA/,
    ],
    [
      'with other claims under the same signature',
      async () => {
        const [header, , signature] = (await sign(signers.ES256, right)).split('.');
        return `${header}.${btoa(JSON.stringify({ ...right, sub: 'root' })).replace(/=+$/, '')}.${signature}`;
      },
      /not signed by a key/,
    ],
  ])('%s is refused, with a reason that does not quote it', async (_what, make, reason) => {
    const token = await make();
    for (const login of [password(token), bearer(token)]) {
      const admission = await auth.authenticate(login);
      expect(admission).toMatchObject({ ok: false, challenge: 'Basic realm="regshift"' });
      expect((admission as { reason: string }).reason).toMatch(reason);
      expect(JSON.stringify(admission)).not.toContain(token);
    }
  });

  it.each([{}, { authorization: 'Basic !' }, { authorization: 'Bearer' }])(
    'is requested by a challenge: %j',
    async (headers) => {
      const admission = await auth.authenticate(attempt(headers as Record<string, string>));
      expect(admission).toMatchObject({ ok: false, reason: expect.stringContaining('docker login') });
    },
  );
});

describe('keys at an address', () => {
  it('are fetched once', async () => {
    const server = await startServer((_, response) => answer(response, 200, JSON.stringify(keys)));
    const remote = authBy(new URL('/keys', server.url));
    const token = await sign(signers.ES256, right);
    for (const _ of [1, 2, 3]) expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
    expect(await remote.authenticate(password(await sign(stranger, right, 'other')))).toMatchObject({
      ok: false,
    });
    expect(server.log).toEqual(['GET /keys -']);
  });

  it.each([
    ['an error', 500, '{}'],
    ['no JSON', 200, '<html>'],
    ['no keys', 200, '{}'],
    ['a redirect', 302, ''],
  ])('that come as %s are the fault of the proxy, not of the login', async (_what, status, body) => {
    const server = await startServer((_, response) =>
      answer(response, status, body, { location: 'http://127.0.0.1:1/' }),
    );
    const remote = authBy(new URL('/keys', server.url));
    await expect(remote.authenticate(password(await sign(signers.ES256, right)))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringContaining(server.host),
    });
    expect(server.log).toEqual(['GET /keys -']);
  });

  it('that cannot be read are not fetched for each login, but again a few seconds later', async () => {
    let status = 500;
    let time = 0;
    const server = await startServer((_, response) => answer(response, status, JSON.stringify(keys)));
    const remote = authBy(new URL('/keys', server.url), () => time);
    const token = await sign(signers.ES256, right);
    const strange = await sign(stranger, right, 'other');
    for (const each of [token, strange, token, strange, token]) {
      await expect(remote.authenticate(password(each))).rejects.toMatchObject({ code: 'MISCONFIGURED' });
      time += 1_000;
    }
    expect(server.log).toEqual(['GET /keys -']);
    status = 200;
    expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
    expect(server.log).toEqual(['GET /keys -', 'GET /keys -']);
  });

  it('that cannot be read have their cause in the log, once a minute', async () => {
    let time = 0;
    const server = await startServer((_, response) => answer(response, 503, '{}'));
    const logged: unknown[] = [];
    const remote = authBy(
      new URL('/keys', server.url),
      () => time,
      undefined,
      (level, message, facts) => logged.push([level, message, facts]),
    );
    const token = await sign(signers.ES256, right);
    for (; time < 120_000; time += 10_000)
      await expect(remote.authenticate(password(token))).rejects.toMatchObject({ code: 'MISCONFIGURED' });
    const line = [
      'warn',
      'the keys at REGSHIFT_JWKS_URL cannot be read',
      { host: server.host, reason: expect.stringContaining('200 OK') },
    ];
    expect(logged).toEqual([line, line]);
  });

  it('that were read once are used for an hour more while no newer ones can be read', async () => {
    let status = 200;
    let time = 0;
    const server = await startServer((_, response) => answer(response, status, JSON.stringify(keys)));
    const remote = authBy(new URL('/keys', server.url), () => time);
    const token = await sign(signers.ES256, right);
    expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
    status = 500;
    for (time = 600_000; time < 4_200_000; time += 300_000)
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
    expect(server.log).toHaveLength(13);
    await expect(remote.authenticate(password(token))).rejects.toMatchObject({ code: 'MISCONFIGURED' });
    status = 200;
    time += 5_000;
    expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
  });

  describe('that changed are known by their age, whatever the wall clock says', () => {
    async function changingKeys() {
      const time = { now: 0 };
      const served = { keys: keys.keys };
      const server = await startServer((_, response) => answer(response, 200, JSON.stringify(served)));
      return { time, served, server, remote: authBy(new URL('/keys', server.url), () => time.now) };
    }

    afterEach(() => {
      vi.useRealTimers();
    });

    /** jose reads `Date.now`, so the tests set the clock of the process itself. */
    const setWallClock = (milliseconds: number) =>
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

    it.each([0, -3_600_000])('a withdrawn key, %i ms later', async (moved) => {
      const { time, served, server, remote } = await changingKeys();
      const token = await sign(signers.ES256, right);
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
      served.keys = keys.keys.filter(({ kid }) => kid !== 'ES256');
      setWallClock(moved);
      time.now += 599_000;
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
      time.now += 1_000;
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: false });
      expect(server.log).toHaveLength(2);
    });

    it.each([0, -3_600_000])('a new key, %i ms later', async (moved) => {
      const { time, served, server, remote } = await changingKeys();
      served.keys = keys.keys.filter(({ kid }) => kid !== 'ES256');
      const token = await sign(signers.ES256, right);
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: false });
      served.keys = keys.keys;
      setWallClock(moved);
      time.now += 29_000;
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: false });
      time.now += 1_000;
      expect(await remote.authenticate(password(token))).toMatchObject({ ok: true });
      expect(server.log).toHaveLength(2);
    });
  });
});
