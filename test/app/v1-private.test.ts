import { beforeEach, describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { privateTo, scriptedUpstream, type Upstream } from '../support/scripted-upstream.ts';
import { type V1DaemonName, v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { ancestry, idOfTag, pullV1 } from '../support/v1-pull.ts';
import { type V1Session, v1Session } from '../support/v1-session.ts';

const alice = `Basic ${btoa('alice:secret')}`;
const bob = `Basic ${btoa('bob:secret')}`;
const day = 24 * 60 * 60;

let upstream: Upstream;
let app: TestApp;
beforeEach(() => {
  upstream = scriptedUpstream(privateTo(alice));
  app = testApp({}, upstream.fetch);
});

const pull = (daemon: V1DaemonName, login?: string, https?: boolean) =>
  pullV1({ daemon: v1Daemons[daemon], http: app.send, login, https }, 'sample/oci');

/** A pull up to the id of the image. */
async function begun(daemon: V1DaemonName, login?: string): Promise<{ session: V1Session; id: string }> {
  const session = v1Session({ daemon: v1Daemons[daemon], http: app.send, login });
  return { session, id: await idOfTag(session, 'sample/oci', 'latest') };
}

describe.each(v1DaemonNames)('a private image and %s', (daemon) => {
  it('with a login that it sends with its first request alone', async () => {
    const { layers } = await pull(daemon, 'alice:secret');
    expect(layers.size).toBe(2);
    expect(new Set(upstream.carried.slice(v1Daemons[daemon].pings.length))).toEqual(new Set([alice]));
  });

  it('with a login that it sends with every request (HTTPS)', async () => {
    expect((await pull(daemon, 'alice:secret', true)).layers.size).toBe(2);
  });

  it.each([
    ['no login', undefined, undefined],
    ['no login (HTTPS)', undefined, true],
    ['another login', 'bob:secret', undefined],
    ['a wrong password', 'alice:guess', undefined],
  ])('are refused: %s', async (_, login, https) => {
    await expect(pull(daemon, login, https)).rejects.toThrow('Authentication is required.');
  });

  it('that loses its right during a pull', async () => {
    const { session, id } = await begun(daemon, 'alice:secret');
    upstream.follow(privateTo(bob));
    app.advance(31);
    await expect(ancestry(session, id)).rejects.toThrow('Authentication is required.');
    for (const what of ['json', 'layer']) {
      expect((await session.get(`images/${id}/${what}`)).status).toBe(401);
    }
  });

  it('that has a day for a pull, and no more', async () => {
    const { session, id } = await begun(daemon, 'alice:secret');
    app.advance(day - 1);
    expect(await ancestry(session, id)).toHaveLength(2);
    app.advance(2);
    await expect(ancestry(session, id)).rejects.toThrow('Authentication is required.');
  });
});

describe('a public image over HTTPS', () => {
  it.each(v1DaemonNames)('%s gets it although it sends an empty login', async (daemon) => {
    upstream.follow();
    expect((await pull(daemon, undefined, true)).layers.size).toBe(2);
    expect(new Set(upstream.carried)).toEqual(new Set([null]));
  });
});

describe('an id of a private image', () => {
  it('grants nothing without the right: without a login, with another one, by the context alone', async () => {
    const { session, id } = await begun('Docker 1.9.1', 'alice:secret');
    await ancestry(session, id);
    const prefix = session.asked.at(-1)?.replace(/\/images\/.*/, '');
    for (const what of ['ancestry', 'json', 'layer']) {
      for (const headers of [{}, { Authorization: bob }, { Authorization: 'Token ' }]) {
        const response = await app.get(`${prefix}/images/${id}/${what}`, headers as Record<string, string>);
        expect([response.status, response.header('WWW-Authenticate')]).toEqual([
          401,
          'Basic realm="regshift"',
        ]);
        expect(response.text()).not.toContain(id);
      }
    }
  });

  it('is checked upstream after each TTL, and not within it', async () => {
    const { session, id } = await begun('Docker 1.9.1', 'alice:secret');
    upstream.forget();
    await ancestry(session, id);
    expect(upstream.asked).toEqual([]);
    app.advance(31);
    await ancestry(session, id);
    expect(upstream.asked).toEqual([expect.stringMatching(/^HEAD \/v2\/sample\/oci\/manifests\/sha256:/)]);
    expect(upstream.carried).toEqual([alice]);
  });
});

describe('the tags of a private repository', () => {
  it('are requested from upstream for each login, although they are cached', async () => {
    const path = '/v1/repositories/sample/oci/tags';
    expect((await app.get(path, { Authorization: alice })).status).toBe(200);
    upstream.forget();
    expect((await app.get(path, { Authorization: bob })).status).toBe(401);
    expect([upstream.asked, upstream.carried]).toEqual([['GET /v2/sample/oci/tags/list'], [bob]]);
  });
});

describe('the login of a pull', () => {
  it('is in no path, no cookie and no log, and readable in no header', async () => {
    const { session, id } = await begun('Docker 1.9.1', 'alice:secret');
    await ancestry(session, id);
    const response = await app.get('/v1/repositories/sample/oci/images', { Authorization: alice });
    const said =
      [...response.headers].flat().join('\n') + session.asked.join('\n') + JSON.stringify(app.logged);
    const decoded = said
      .split(/[^A-Za-z0-9_-]+/)
      .map(decodedPart)
      .join('\n');
    for (const secret of ['secret', btoa('alice:secret').replace(/=+$/, '')]) {
      expect(said).not.toContain(secret);
      expect(decoded).not.toContain(secret);
    }
    expect(decoded).toContain('{"repository":"sample/oci"}');
  });
});

function decodedPart(part: string): string {
  try {
    return atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}

describe('Cache-Control', () => {
  const everything = async (login?: string) => {
    const { session, id } = await begun('Docker 1.7.1', login);
    const { session: newer } = await begun('Docker 1.9.1', login);
    const paths = [
      'repositories/sample/oci/tags',
      'repositories/sample/oci/json',
      'repositories/sample/oci/properties',
    ];
    const responses = [await newer.get('repositories/sample/oci/tags/latest')];
    for (const path of [...paths, ...['ancestry', 'json', 'layer'].map((what) => `images/${id}/${what}`)]) {
      responses.push(await session.get(path));
    }
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
    // Blobs have no-transform too.
    return responses.map(
      (response) => response.header('Cache-Control')?.replace(/(?:, )?no-transform$/, '') || null,
    );
  };

  it('is private for content that requires a login', async () => {
    expect(new Set(await everything('alice:secret'))).toEqual(new Set(['private']));
  });

  it('is absent for public content', async () => {
    upstream.follow();
    expect(new Set(await everything())).toEqual(new Set([null]));
  });

  it('is no-store for the response with a token', async () => {
    upstream.follow();
    const response = await app.get('/v1/repositories/sample/oci/images');
    expect(response.header('Cache-Control')).toBe('private, no-store');
  });
});

describe('clients that log in to the proxy', () => {
  // htpasswd -B, cost 4: alice:secret
  const variables = {
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'robot',
    REGSHIFT_UPSTREAM_PASSWORD: 'rust',
    REGSHIFT_CLIENT_AUTH: 'basic',
    REGSHIFT_HTPASSWD: 'alice:$2b$04$A4AGRLa0kzR8EOFzvvT3hOtTiurhkkveNhjtyUcm.mbTsNvE2n4e2',
  };
  beforeEach(() => {
    upstream = scriptedUpstream(privateTo(`Basic ${btoa('robot:rust')}`));
    app = testApp(variables, upstream.fetch);
  });

  it.each(v1DaemonNames)('%s logs in once', async (daemon) => {
    expect((await pull(daemon, 'alice:secret')).layers.size).toBe(2);
    expect(upstream.carried).not.toContain(alice);
  });

  it.each(v1DaemonNames)('%s is refused without a login', async (daemon) => {
    await expect(pull(daemon)).rejects.toThrow('Authentication is required.');
  });

  it('need a login for each request without a token', async () => {
    const { session, id } = await begun('Docker 1.9.1', 'alice:secret');
    await ancestry(session, id);
    const path = session.asked.at(-1) ?? '';
    expect((await app.get(path)).status).toBe(401);
    expect((await app.get(path, { Authorization: bob })).status).toBe(401);
    expect((await app.get(path, { Authorization: alice })).status).toBe(200);
  });
});
