import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RotatingSettings } from '../../src/compose/platform.ts';
import { readSettings } from '../../src/config/settings.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { type RequestHeaders, type TestApp, testApp, upstreamUrl } from '../support/app.ts';
import { amazon, awsKey } from '../support/clouds/amazon.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const basic = (password: string) => `Basic ${btoa(`robot:${password}`)}`;

const as = (authorization: string): RequestHeaders => [...docker19, ['Authorization', authorization]];

/** By htpasswd -nbB -C 4: the password of alice is `secret`. */
const one = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const alice = `Basic ${btoa('alice:secret')}`;

/** The program with settings that a test replaces. `looks` has an entry for each look that was wanted at once. */
function rotating(variables: Record<string, string>, fetch: Fetch) {
  const read = (own: Record<string, string>) => {
    const found = readSettings({ REGSHIFT_UPSTREAM: upstreamUrl, ...own });
    if ('problems' in found) throw new Error(JSON.stringify(found.problems));
    return found.settings.routes[0]?.settings;
  };
  const all = { REGSHIFT_CLIENT_AUTH: 'none', REGSHIFT_TAG_TTL: '0', REGSHIFT_STALE: '0', ...variables };
  const state = { values: read(all), next: undefined as ReturnType<typeof read>, atOnce: 0 };
  const files: RotatingSettings = {
    async newest(_route, atOnce) {
      if (atOnce) {
        state.atOnce += 1;
        state.values = state.next ?? state.values;
      }
      return state.values;
    },
  };
  const app = testApp(all, fetch, { rotating: files });
  return {
    app,
    state,
    /** Replaces files: the next look finds them. */
    replace: (own: Record<string, string>) => {
      state.values = read({ ...all, ...own });
    },
    /** Replaces files that only a look at once finds. */
    replaceUnseen: (own: Record<string, string>) => {
      state.next = read({ ...all, ...own });
    },
  };
}

const account = {
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'robot',
  REGSHIFT_UPSTREAM_PASSWORD: 'one',
};
const dockerConfig = (password: string) => ({
  REGSHIFT_UPSTREAM_AUTH: 'docker-config',
  REGSHIFT_DOCKER_CONFIG: JSON.stringify({
    auths: { [new URL(upstreamUrl).host]: { auth: btoa(`robot:${password}`) } },
  }),
});

describe.each([
  ['basic', account, { REGSHIFT_UPSTREAM_PASSWORD: 'two' }],
  ['docker-config', dockerConfig('one'), dockerConfig('two')],
])('a login of %s that is replaced', (_, first, second) => {
  it('is used from the next request on', async () => {
    const upstream = scriptedUpstream(privateTo(basic('one')));
    const { app, replace, state } = rotating(first, upstream.fetch);
    expect((await app.get(latest, docker19)).status).toBe(200);
    await app.settled();
    replace(second);
    upstream.follow(privateTo(basic('two')));
    upstream.forget();
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(upstream.carried).not.toContain(basic('one'));
    expect(state.atOnce).toBe(0);
  });

  it('costs no pull when upstream refuses the old one before the files were looked at', async () => {
    const upstream = scriptedUpstream(privateTo(basic('one')));
    const { app, replaceUnseen, state } = rotating(first, upstream.fetch);
    await app.get(latest, docker19);
    await app.settled();
    replaceUnseen(second);
    upstream.follow(privateTo(basic('two')));
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(state.atOnce).toBe(1);
  });

  it('is tried no more often than a fixed login where the files have not changed', async () => {
    const upstream = scriptedUpstream(privateTo(basic('other')));
    const { app, state } = rotating(first, upstream.fetch);
    const response = await app.get(latest, docker19);
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([403, null]);
    expect(state.atOnce).toBeGreaterThan(0);
    const fixed = scriptedUpstream(privateTo(basic('other')));
    await testApp({ REGSHIFT_CLIENT_AUTH: 'none', REGSHIFT_TAG_TTL: '0', ...first }, fixed.fetch).get(
      latest,
      docker19,
    );
    expect([upstream.asked, upstream.carried]).toEqual([fixed.asked, fixed.carried]);
  });

  it('leaves no token of the old password in use', async () => {
    const tokens =
      (password: string): Script =>
      (request, url) => {
        const authorization = request.headers.get('authorization');
        if (url.host === 'auth.test') {
          return authorization === basic(password)
            ? Response.json({ token: `for-${password}`, expires_in: 3600 })
            : specError(401, 'UNAUTHORIZED');
        }
        // A token of the old password would still be good.
        if (authorization?.startsWith('Bearer for-')) return undefined;
        return specError(401, 'UNAUTHORIZED', {
          'WWW-Authenticate': 'Bearer realm="https://auth.test/token"',
        });
      };
    const upstream = scriptedUpstream(tokens('one'));
    const { app, replace } = rotating(first, upstream.fetch);
    await app.get(latest, docker19);
    replace(second);
    upstream.follow(tokens('two'));
    upstream.forget();
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(upstream.carried).toContain('Bearer for-two');
    expect(upstream.carried).not.toContain('Bearer for-one');
  });
});

it('a key of a cloud that gives no login leaves the login of the earlier key in use', async () => {
  const cloud = amazon();
  const { app, replace } = rotating(
    { ...cloud.settings, AWS_SECRET_ACCESS_KEY: awsKey.secret },
    cloud.network.fetch,
  );
  const image = '/v2/team/app/manifests/latest';
  expect((await app.get(image, docker19)).status).toBe(200);
  replace({ AWS_SECRET_ACCESS_KEY: 'hidden-not-yet' });
  for (let times = 0; times < 3; times += 1) expect((await app.get(image, docker19)).status).toBe(200);
  expect(cloud.given()).toBe(1);
  replace({ AWS_SECRET_ACCESS_KEY: awsKey.secret });
  expect((await app.get(image, docker19)).status).toBe(200);
  expect(JSON.stringify(app.logged)).not.toContain('hidden');
});

it('a login of a cloud stays where only other files change', async () => {
  const cloud = amazon();
  const users = { REGSHIFT_CLIENT_AUTH: 'basic', REGSHIFT_HTPASSWD: one };
  const { app, replace } = rotating({ ...cloud.settings, ...users }, cloud.network.fetch);
  const get = () => app.get('/v2/team/app/manifests/latest', as(alice));
  expect((await get()).status).toBe(200);
  replace({ REGSHIFT_HTPASSWD: `${one}\n` });
  expect((await get()).status).toBe(200);
  expect(cloud.given()).toBe(1);
});

const statusOf = async (app: TestApp, authorization: string) =>
  (await app.get(latest, as(authorization))).status;

describe('users of an htpasswd file that is replaced', () => {
  const bob = `Basic ${btoa('bob:secret')}`;
  const users = { ...account, REGSHIFT_CLIENT_AUTH: 'basic', REGSHIFT_HTPASSWD: one };

  it('are those of the new file: a removed user is refused, and a new one is let in', async () => {
    const { app, replace } = rotating(users, scriptedUpstream().fetch);
    expect([await statusOf(app, alice), await statusOf(app, bob)]).toEqual([200, 401]);
    replace({ REGSHIFT_HTPASSWD: one.replace('alice', 'bob') });
    expect([await statusOf(app, alice), await statusOf(app, bob)]).toEqual([401, 200]);
    replace({ REGSHIFT_HTPASSWD: `${one}\n${one.replace('alice', 'bob')}` });
    expect([await statusOf(app, alice), await statusOf(app, bob)]).toEqual([200, 200]);
  });

  it('keep their proofs if their lines stay', async () => {
    let compared = 0;
    const { app: _, ...rest } = rotating(users, scriptedUpstream().fetch);
    const upstream = scriptedUpstream();
    const counting = testApp({ ...users, REGSHIFT_UPSTREAM: upstreamUrl }, upstream.fetch, {
      rotating: { newest: async () => rest.state.values },
      comparePassword: async () => {
        compared += 1;
        return true;
      },
    });
    expect(await statusOf(counting, alice)).toBe(200);
    rest.replace({ REGSHIFT_HTPASSWD: `${one}\n${one.replace('alice', 'bob')}` });
    expect(await statusOf(counting, alice)).toBe(200);
    expect(compared).toBe(1);
    rest.replace({ REGSHIFT_HTPASSWD: one.replace('2y$04$rAP27', '2y$04$rAP28') });
    expect(await statusOf(counting, alice)).toBe(200);
    expect(compared).toBe(2);
  });
});

it('keys of JWTs in a file that is replaced are those of the new file', async () => {
  const make = async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const claims = { iss: 'https://issuer.test', aud: 'regshift', exp: Date.UTC(2026, 0, 1) / 1000 + 300 };
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
    return { jwks: JSON.stringify({ keys: [await exportJWK(publicKey)] }), bearer: `Bearer ${jwt}` };
  };
  const [old, renewed] = [await make(), await make()];
  const rules = { REGSHIFT_JWT_ISSUER: 'https://issuer.test', REGSHIFT_JWT_AUDIENCE: 'regshift' };
  const { app, replace } = rotating(
    { ...account, ...rules, REGSHIFT_CLIENT_AUTH: 'jwt', REGSHIFT_JWKS: old.jwks },
    scriptedUpstream().fetch,
  );
  expect([await statusOf(app, old.bearer), await statusOf(app, renewed.bearer)]).toEqual([200, 401]);
  replace({ REGSHIFT_JWKS: renewed.jwks });
  expect([await statusOf(app, old.bearer), await statusOf(app, renewed.bearer)]).toEqual([401, 200]);
});
