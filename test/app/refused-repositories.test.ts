import { describe, expect, it } from 'vitest';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { createGate } from '../support/gate.ts';
import { behindLogin, holding, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { settled } from '../support/settled.ts';
import { upstreamUrl } from '../support/upstream-url.ts';
import { v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const repository = '/v2/sample/oci';
const latest = `${repository}/manifests/latest`;
const stable = `${repository}/manifests/stable`;
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;
const samples = createSampleRegistry();

/** The repository has a second tag for the same image. */
const withStable: Script = ({ method }, { pathname, href }) =>
  pathname === stable ? samples.fetch(href.replace('stable', 'latest'), { method }) : undefined;

const failing: Script = () => specError(503, 'UNKNOWN');
const challenged = () => specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
const denied = () => specError(403, 'DENIED');
const ofRepository =
  (respond: Script): Script =>
  (request, url) =>
    url.pathname.startsWith(`${repository}/`) ? respond(request, url) : undefined;

/** A proxy that everyone has got both tags and the digest from; the proofs are older than the TTL. */
async function served(variables: Record<string, string> = {}) {
  const upstream = scriptedUpstream(withStable);
  const app = testApp(variables, upstream.fetch);
  const first = await app.get(latest, docker19);
  await app.get(stable, docker19);
  const digest = `${repository}/manifests/${first.header('Docker-Content-Digest')}`;
  const statuses = async (...headers: (readonly [string, string])[]) => {
    const found = [];
    for (const path of [latest, stable, digest])
      found.push((await app.get(path, [...docker19, ...headers])).status);
    return found;
  };
  expect(await statuses()).toEqual([200, 200, 200]);
  app.advance(31);
  return { upstream, app, first, digest, statuses };
}

const kept = [200, 200, 200];
const ended = [503, 503, 503];

describe('a repository that upstream refuses to everyone', () => {
  const refusals: readonly [string, Script][] = [
    ['401 with a challenge that only a login meets', challenged],
    ['401 without a challenge', () => specError(401, 'UNAUTHORIZED')],
    ['403', denied],
  ];
  it.each(refusals)('(%s) is given by no reference when upstream fails after that', async (_, respond) => {
    const { upstream, app, statuses } = await served();
    upstream.follow(ofRepository(respond));
    expect((await app.get(latest, docker19)).status).toBeGreaterThanOrEqual(401);
    upstream.follow(failing);
    expect(await statuses()).toEqual(ended);
    expect(await statuses(alice)).toEqual(ended);
  });

  const reads: readonly [string, 'GET' | 'HEAD', string][] = [
    ['the tag by HEAD', 'HEAD', latest],
    ['a blob', 'GET', `${repository}/blobs/sha256:${'1'.repeat(64)}`],
    ['a blob by HEAD', 'HEAD', `${repository}/blobs/sha256:${'1'.repeat(64)}`],
    ['the empty layer', 'GET', `${repository}/blobs/${emptyLayer.digest}`],
    ['the list of tags', 'GET', `${repository}/tags/list`],
    ['the referrers', 'GET', `${repository}/referrers/sha256:${'1'.repeat(64)}`],
  ];
  it.each(reads)('may refuse any read: %s', async (_, method, path) => {
    const { upstream, app, statuses } = await served();
    upstream.follow(ofRepository(denied));
    expect((await app.send(method, path)).status).toBe(403);
    upstream.follow(failing);
    expect(await statuses()).toEqual(ended);
  });

  it('may refuse it to a pull by API v1', async () => {
    const { upstream, app, statuses } = await served();
    const daemon = v1Daemons['Docker 1.3.3'];
    upstream.follow(ofRepository(challenged));
    await expect(pullV1({ daemon, http: app.send }, 'sample/oci')).rejects.toThrow();
    upstream.follow(failing);
    expect(await statuses()).toEqual(ended);
  });

  it('is asked again for each reference at once, within the TTL and for remembered responses too', async () => {
    const { upstream, app, statuses } = await served();
    await app.get(stable, docker19);
    upstream.follow(ofRepository(challenged));
    expect(await statuses()).toEqual([401, 401, 401]);
    upstream.follow(withStable);
    expect(await statuses()).toEqual(kept);
    upstream.forget();
    expect(await statuses()).toEqual(kept);
    expect(upstream.asked).toEqual([]);
  });

  it('is asked once where no proof depends on the response, as by containerd before each login', async () => {
    const upstream = scriptedUpstream(challenged);
    const app = testApp({}, upstream.fetch);
    expect((await app.head(latest, docker19)).status).toBe(401);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('leads to no previous image of a tag that has moved', async () => {
    const { upstream, app } = await served();
    const other = await samples.fetch(`${upstreamUrl}/v2/sample/schema2/manifests/latest`, {});
    const headers = {
      'Docker-Content-Digest': other.headers.get('Docker-Content-Digest') ?? '',
      'Content-Type': other.headers.get('Content-Type') ?? '',
    };
    const moved: Script = ({ method }, { pathname }) => {
      if (!pathname.includes('/manifests/')) return undefined;
      return method === 'HEAD' ? new Response(null, { headers }) : specError(429, 'TOOMANYREQUESTS');
    };
    upstream.follow(moved);
    expect((await app.get(latest, docker19)).status).toBe(200);
    upstream.follow(ofRepository(denied));
    expect((await app.get(`${repository}/tags/list`)).status).toBe(403);
    upstream.follow(moved);
    expect((await app.get(latest, docker19)).status).toBe(429);
  });

  it('leaves the proofs of other repositories and of logins', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const other = '/v2/sample/schema2/manifests/latest';
    await app.get(other, docker19);
    await app.get(latest, [...docker19, alice]);
    const toAlice: Script = (request) =>
      request.headers.get('authorization') === alice[1] ? undefined : challenged();
    upstream.follow(ofRepository(toAlice));
    expect((await app.get(latest, docker19)).status).toBe(401);
    upstream.follow(failing);
    expect((await app.get(latest, [...docker19, alice])).status).toBe(200);
    app.advance(31);
    expect((await app.get(other, docker19)).status).toBe(200);
  });

  it('has no proof by a question from before the refusal whose response comes after it', async () => {
    const { upstream, app, statuses } = await served();
    const gate = createGate();
    upstream.follow(async (request, url) => {
      if (url.pathname === stable) await gate.pass();
      return url.pathname === stable ? withStable(request, url) : ofRepository(challenged)(request, url);
    });
    const early = app.get(stable, docker19);
    while (gate.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await app.get(latest, docker19)).status).toBe(401);
    const joined = app.get(stable, docker19);
    await settled();
    upstream.follow(ofRepository(challenged));
    gate.open();
    // Upstream has answered the first request before it refused; the second one came after that.
    expect([(await early).status, (await joined).status]).toEqual([200, 401]);
    upstream.follow(failing);
    expect(await statuses()).toEqual(ended);
  });
});

describe('a refused write', () => {
  const responses: readonly [string, Script][] = [
    ['401 with a challenge', challenged],
    ['403', denied],
    ['404', () => specError(404, 'NAME_UNKNOWN')],
    ['405', () => specError(405, 'UNSUPPORTED')],
    ['429', () => specError(429, 'TOOMANYREQUESTS')],
  ];
  const ofWrites =
    (respond: Script): Script =>
    (request, url) =>
      request.method === 'PUT' || request.method === 'DELETE' ? respond(request, url) : undefined;

  it.each(responses)('(%s) ends no proof of the repository, as anyone can cause it', async (_, respond) => {
    const { upstream, app, statuses } = await served();
    expect(await statuses()).toEqual(kept);
    upstream.follow(ofWrites(respond));
    expect((await app.send('PUT', stable)).status).toBeGreaterThanOrEqual(400);
    expect((await app.send('DELETE', stable)).status).toBeGreaterThanOrEqual(400);
    upstream.forget();
    expect(await statuses()).toEqual(kept);
    expect(upstream.asked).toEqual([]);
    app.advance(31);
    upstream.follow(failing);
    expect(await statuses()).toEqual(kept);
  });

  it('is no write whose response is lost: after that, each reference is asked for again, and stands in', async () => {
    const { upstream, app, statuses } = await served();
    upstream.follow(ofWrites(failing));
    await app.send('PUT', stable);
    upstream.follow(failing);
    upstream.forget();
    // Everyone can cause such a write, so public images still stand in.
    expect(await statuses()).toEqual(kept);
    expect(upstream.asked).not.toEqual([]);
  });
});

describe('a response that refuses less than the repository to everyone', () => {
  const references: readonly [string, Script][] = [
    ['404', () => specError(404, 'MANIFEST_UNKNOWN')],
    ['404 of the repository', () => specError(404, 'NAME_UNKNOWN')],
    ['412, by which Harbor refuses a vulnerable image', () => specError(412, 'PROJECTPOLICYVIOLATION')],
  ];
  it.each(references)('(%s) ends the proof of its reference', async (_, respond) => {
    const { upstream, app, statuses } = await served();
    upstream.follow((request, url) => (url.pathname === latest ? respond(request, url) : undefined));
    expect((await app.get(latest, docker19)).status).toBeGreaterThanOrEqual(400);
    upstream.follow(failing);
    expect((await statuses()).slice(0, 2)).toEqual([503, 200]);
  });

  it.each([429, 500, 503])('(%i) ends no proof', async (status) => {
    const { upstream, app, statuses } = await served();
    upstream.follow(() => specError(status, 'UNKNOWN'));
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect((await app.get(`${repository}/tags/list`)).status).toBe(status);
    expect(await statuses()).toEqual(kept);
  });

  it('(a HEAD whose GET is good) ends no proof, and the GET is the response', async () => {
    for (const status of [401, 403, 405]) {
      const { upstream, app, statuses } = await served();
      const headless: Script = (request, url) =>
        request.method === 'HEAD' ? specError(status, 'DENIED') : withStable(request, url);
      upstream.follow(headless);
      expect(await statuses()).toEqual(kept);
      expect((await app.head(`${repository}/blobs/sha256:${'1'.repeat(64)}`)).status).toBe(404);
      upstream.follow(failing);
      app.advance(31);
      expect(await statuses()).toEqual(kept);
    }
  });

  it('(a refusal by the storage that a blob redirects to) ends no proof', async () => {
    const { upstream, app, statuses } = await served();
    const away = 'http://storage.test/blob';
    upstream.follow((_request, url) => {
      if (url.href === away) return new Response('expired', { status: 403 });
      return url.pathname.includes('/blobs/')
        ? new Response(null, { status: 307, headers: { Location: away } })
        : undefined;
    });
    expect((await app.get(`${repository}/blobs/sha256:${'1'.repeat(64)}`)).status).toBe(403);
    upstream.follow(failing);
    expect(await statuses()).toEqual(kept);
  });

  it('(a refusal by a mirror that stands in) ends the proof of its reference', async () => {
    const [near, far] = ['http://near.test', 'https://far.test'];
    const both = network({ [near]: holding({ 'team/app': 'sample/oci' }), [far]: () => denied() });
    const variables = { REGSHIFT_UPSTREAM: `${near},${far}`, REGSHIFT_UPSTREAM_AUTH: 'anonymous' };
    const app = testApp(variables, both.fetch);
    const tag = '/v2/team/app/manifests/latest';
    const first = await app.get(tag, docker19);
    const digest = `/v2/team/app/manifests/${first.header('Regshift-Source-Digest')}`;
    expect((await app.get(digest, [['Accept', '*/*']])).status).toBe(200);
    app.advance(31);
    both.set(near, undefined);
    expect((await app.get('/v2/team/app/tags/list')).status).toBe(403);
    both.set(far, undefined);
    expect((await app.get(tag, docker19)).status).toBe(200);
    both.set(near, () => denied());
    app.advance(31);
    expect((await app.get('/v2/team/app/tags/list')).status).toBe(403);
    both.set(near, undefined);
    expect((await app.get(tag, docker19)).status).toBe(502);
  });
});

describe('a challenge of a token server', () => {
  const realm = 'http://tokens.test/auth';
  /** The registry takes tokens only; the token server responds as `grant` says. */
  const behindTokens =
    (grant: () => Response, good: string | undefined): Script =>
    (request, url) => {
      if (url.href.startsWith(realm)) return grant();
      if (request.headers.get('authorization') === `Bearer ${good}`) return withStable(request, url);
      const challenge = `Bearer realm="${realm}",service="test"`;
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge });
    };
  const token = (value: string) => () => Response.json({ token: value, expires_in: 300 });

  it.each([
    ['a new token opens the repository', token('new'), 'new', kept],
    ['the token server fails', () => specError(503, 'UNKNOWN'), 'new', kept],
    ['the token server limits requests', () => specError(429, 'UNKNOWN'), 'new', kept],
    ['the token server refuses a token without a login (401)', challenged, 'new', ended],
    ['the token server refuses a token without a login (403)', denied, 'new', ended],
    ['a new token without a login opens nothing', token('new'), undefined, ended],
  ])('and then: %s', async (_, grant, good, expected) => {
    const { upstream, app, statuses } = await served();
    upstream.follow(behindTokens(grant, good));
    await app.get(latest, docker19);
    upstream.follow(failing);
    app.advance(31);
    expect(await statuses()).toEqual(expected);
  });

  it('ends no proof when it replaces an old token', async () => {
    const upstream = scriptedUpstream(behindTokens(token('old'), 'old'));
    const app = testApp({}, upstream.fetch);
    for (const path of [latest, stable]) expect((await app.get(path, docker19)).status).toBe(200);
    upstream.follow(behindTokens(token('new'), 'new'));
    app.advance(31);
    expect((await app.get(latest, docker19)).status).toBe(200);
    upstream.follow(failing);
    expect((await app.get(stable, docker19)).status).toBe(200);
  });
});

describe('a repository that upstream refuses to a login', () => {
  const withLogins = async () => {
    const upstream = scriptedUpstream(withStable);
    const app = testApp({}, upstream.fetch);
    for (const login of [alice, bob])
      for (const path of [latest, stable])
        expect((await app.get(path, [...docker19, login])).status).toBe(200);
    app.advance(20);
    return { upstream, app };
  };
  const refusing =
    (respond: Script): Script =>
    (request, url) =>
      request.headers.get('authorization') === alice[1] ? respond(request, url) : withStable(request, url);

  it.each([
    ['a new tag', 'GET', `${repository}/manifests/new`],
    ['a new tag by HEAD', 'HEAD', `${repository}/manifests/new`],
    ['a blob', 'GET', `${repository}/blobs/sha256:${'1'.repeat(64)}`],
    ['the list of tags', 'GET', `${repository}/tags/list`],
  ])(
    '(%s) is asked again for each of its references, and not for those of others',
    async (_, method, path) => {
      const { upstream, app } = await withLogins();
      upstream.follow(refusing(denied));
      expect((await app.send(method, path, [alice])).status).toBe(403);
      expect((await app.get(stable, [...docker19, alice])).status).toBe(403);
      upstream.forget();
      expect((await app.get(stable, [...docker19, bob])).status).toBe(200);
      expect(upstream.asked).toEqual([]);
    },
  );

  it('ends nothing when upstream fails, limits, or lacks the reference', async () => {
    for (const status of [404, 412, 429, 500]) {
      const { upstream, app } = await withLogins();
      upstream.follow(refusing(() => specError(status, 'UNKNOWN')));
      expect((await app.get(`${repository}/manifests/new`, [...docker19, alice])).status).toBeGreaterThan(
        399,
      );
      upstream.forget();
      expect((await app.get(stable, [...docker19, alice])).status).toBe(200);
      expect(upstream.asked).toEqual([]);
    }
  });

  it('stays public, where it is', async () => {
    const { upstream, app, statuses } = await served();
    upstream.follow(refusing(denied));
    expect((await app.get(latest, [...docker19, alice])).status).toBe(403);
    upstream.follow(failing);
    expect(await statuses()).toEqual(kept);
  });

  it('is sent a refused login once', async () => {
    const { upstream, app } = await withLogins();
    upstream.follow(refusing(challenged));
    upstream.forget();
    expect((await app.get(`${repository}/manifests/new`, [...docker19, alice])).status).toBe(401);
    expect(upstream.asked).toHaveLength(1);
  });

  it("ends the proofs of the proxy's own account", async () => {
    const account = `Basic ${btoa('proxy:secret')}`;
    const upstreams = network({ [upstreamUrl]: behindLogin(account, holding({ 'team/app': 'sample/oci' })) });
    const variables = {
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'secret',
      REGSHIFT_CLIENT_AUTH: 'none',
    };
    const app = testApp(variables, upstreams.fetch);
    const tag = '/v2/team/app/manifests/latest';
    expect((await app.get(tag, docker19)).status).toBe(200);
    upstreams.set(upstreamUrl, () => denied());
    expect((await app.get('/v2/team/app/tags/list')).status).toBe(403);
    expect((await app.get(tag, docker19)).status).toBe(403);
  });
});

describe('the right to the empty layer', () => {
  const blob = `${repository}/blobs/${emptyLayer.digest}`;

  it('ends with the right to the repository', async () => {
    const { upstream, app } = await served();
    expect((await app.get(blob)).status).toBe(200);
    upstream.follow(ofRepository(challenged));
    expect((await app.get(latest, docker19)).status).toBe(401);
    expect((await app.get(blob)).status).toBe(401);
  });

  it('is no younger than the response that proves it', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    await app.get(latest, [...docker19, alice]);
    app.advance(29);
    expect((await app.get(blob, [alice])).status).toBe(200);
    upstream.follow(ofRepository(denied));
    app.advance(2);
    expect((await app.get(blob, [alice])).status).toBe(403);
  });
});
