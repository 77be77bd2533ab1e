import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { layersOf } from '../support/pull.ts';
import { pushSample } from '../support/push.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { habits, hubLogin } from '../support/upstreams/all.ts';
import { dockerHub, pullsSpent } from '../support/upstreams/docker-hub.ts';
import { basicOf, type Upstream } from '../support/upstreams/habit.ts';

const { schema1Signed, schema2, ociManifest } = mediaTypes;
const sample = 'sample/schema2';
const manifest = `/v2/${sample}/manifests/latest`;

describe.skipIf(requirePeers('docker-registry'))('the habits of registries, without the proxy', () => {
  let registry: DockerRegistry;
  let digest: string;
  let layer: string;
  const running = new Map<string, Upstream>();
  beforeAll(async () => {
    registry = await startDockerRegistry();
    digest = await pushSample(registry.url, sample);
    await pushSample(registry.url, 'sample/oci');
    for (const habit of habits) running.set(habit.name, await habit.start(registry.url));
    const direct = await ask('a registry without HEAD of manifests', 'GET', manifest, { Accept: schema2 });
    layer = `/v2/${sample}/blobs/${layersOf(direct.body)[0]}`;
  });
  afterAll(async () => {
    for (const upstream of running.values()) await upstream.stop();
    await registry?.stop();
  });

  const at = (name: string): Upstream => {
    const upstream = running.get(name);
    if (!upstream) throw new Error(`${name} does not run`);
    return upstream;
  };
  const send = (url: string, method: string, headers: Record<string, string> = {}): Promise<RawResponse> => {
    const { port, pathname, search } = new URL(url);
    return rawRequest({
      port: Number(port),
      method,
      path: pathname + search,
      headers: Object.entries(headers),
    });
  };
  const ask = (name: string, method: string, path: string, headers: Record<string, string> = {}) =>
    send(at(name).url + path, method, headers);
  /** Sends a request with the credential that the challenge of a 401 requires. */
  const authorize = async (name: string, login?: typeof hubLogin): Promise<Record<string, string>> => {
    const challenge = (await ask(name, 'GET', manifest)).header('WWW-Authenticate') ?? '';
    const field = (key: string) => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const url = `${/Bearer realm="([^"]*)"/.exec(challenge)?.[1]}?service=${field('service')}&scope=${field('scope')}`;
    const token = await send(url, 'GET', login ? { Authorization: basicOf(login) } : {});
    return { Authorization: `Bearer ${JSON.parse(new TextDecoder().decode(token.body)).token}` };
  };

  describe('Docker Hub', () => {
    it('wants a token for a public image, for its repository and no other, and for 300 s', async () => {
      expect((await ask('Docker Hub', 'GET', manifest)).status).toBe(401);
      const token = await authorize('Docker Hub');
      expect((await ask('Docker Hub', 'GET', manifest, { Accept: schema2, ...token })).status).toBe(200);
      const other = await ask('Docker Hub', 'GET', '/v2/sample/oci/manifests/latest', token);
      expect([other.status, other.header('WWW-Authenticate')]).toEqual([
        401,
        expect.stringContaining('insufficient_scope'),
      ]);
      at('Docker Hub').tokens?.advance(299);
      expect((await ask('Docker Hub', 'GET', '/v2/', token)).status).toBe(200);
      at('Docker Hub').tokens?.advance(1);
      expect((await ask('Docker Hub', 'GET', '/v2/', token)).status).toBe(401);
    });

    it('gives a token without a right to the anonymous, where a login is wanted, and none to a stranger', async () => {
      const name = 'Docker Hub with a login';
      expect((await ask(name, 'GET', manifest, await authorize(name))).status).toBe(401);
      expect((await ask(name, 'HEAD', manifest, await authorize(name, hubLogin))).status).not.toBe(401);
      const realm = `${at(name).tokenServer?.url}/token?service=registry.docker.io`;
      const stranger = { Authorization: basicOf({ ...hubLogin, password: 'guessed' }) };
      expect((await send(realm, 'GET', stranger)).status).toBe(401);
    });

    it('counts a GET of a manifest and not a HEAD, and says 429 to the GET that is too much', async () => {
      const upstream = await dockerHub({ limit: 1 }).start(registry.url);
      running.set('of one pull', upstream);
      const headers = { Accept: schema2, ...(await authorize('of one pull')) };
      const counts: (string | undefined)[] = [];
      for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) {
        const { status, ...answer } = await ask('of one pull', method, manifest, headers);
        counts.push(`${method} ${status} ${answer.header('ratelimit-remaining')}`);
        if (status === 429) expect(answer.header('Retry-After')).toBe('3600');
      }
      const six = 'w=21600';
      expect(counts).toEqual([
        `HEAD 200 1;${six}`,
        `GET 200 0;${six}`,
        `GET 429 0;${six}`,
        `HEAD 200 0;${six}`,
      ]);
      expect(pullsSpent(upstream)).toEqual([digest]);
    });

    it('redirects to a storage that refuses a login, and a method that was not signed', async () => {
      const { status, ...answer } = await ask('Docker Hub', 'GET', layer, await authorize('Docker Hub'));
      const location = answer.header('Location') ?? '';
      expect([status, new URL(location).origin]).toEqual([307, at('Docker Hub').storage?.url]);
      expect((await send(location, 'GET')).status).toBe(200);
      expect((await send(location, 'GET', { Authorization: basicOf(hubLogin) })).status).toBe(400);
      expect((await send(location, 'HEAD')).status).toBe(403);
      expect((await send(location.replace(/.$/, '!'), 'GET')).status).toBe(403);
    });
  });

  it('GHCR: a placeholder at the ping, a digest always, no count', async () => {
    const ping = await ask('GHCR', 'GET', '/v2/');
    expect(ping.header('WWW-Authenticate')).toContain('scope="repository:user/image:pull"');
    const answer = await ask('GHCR', 'HEAD', manifest, { Accept: schema2, ...(await authorize('GHCR')) });
    expect(answer.header('Docker-Content-Digest')).toBe(digest);
    expect(answer.header('ratelimit-limit')).toBeUndefined();
  });

  it('ECR: Basic, as AWS, and nothing else', async () => {
    const refused = await ask('ECR', 'GET', '/v2/', { Authorization: basicOf(hubLogin) });
    expect([refused.status, refused.header('WWW-Authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ]);
    const login = habits.find(({ name }) => name === 'ECR')?.login;
    const headers = { Authorization: login ? basicOf(login) : '' };
    expect((await ask('ECR', 'GET', '/v2/', headers)).status).toBe(200);
    expect((await ask('ECR', 'GET', layer, headers)).status).toBe(307);
  });

  it('ECR Public: no HEAD of a blob', async () => {
    const token = await authorize('ECR Public');
    expect((await ask('ECR Public', 'HEAD', layer, token)).status).toBe(401);
    expect((await ask('ECR Public', 'GET', layer, token)).status).toBe(307);
    expect((await ask('ECR Public', 'HEAD', manifest, { Accept: schema2, ...token })).status).toBe(200);
  });

  it('Quay: schema 1 for a tag whose type is not named, a wildcard or not, and never for a digest', async () => {
    const token = await authorize('Quay');
    const typeOf = async (reference: string, headers: Record<string, string>) =>
      (await ask('Quay', 'GET', `/v2/${sample}/manifests/${reference}`, { ...token, ...headers })).header(
        'Content-Type',
      );
    expect(await typeOf('latest', {})).toBe(schema1Signed);
    expect(await typeOf('latest', { Accept: `${ociManifest}, */*` })).toBe(schema1Signed);
    expect(await typeOf('latest', { Accept: `${ociManifest}, ${schema2}` })).toBe(schema2);
    expect(await typeOf(digest, {})).toBe(schema2);
    expect((await ask('Quay', 'GET', layer, token)).status).toBe(302);
  });

  it('Artifactory: two challenges, JSON for everything, redirects without a host', async () => {
    const refused = await ask('Artifactory', 'GET', '/v2/');
    expect(refused.header('WWW-Authenticate')).toMatch(
      /^Basic realm="Artifactory Realm", Bearer realm="http/,
    );
    const login = habits.find(({ name }) => name === 'Artifactory')?.login;
    const headers = { Authorization: login ? basicOf(login) : '' };
    const json = await ask('Artifactory', 'GET', manifest, { ...headers, Accept: `${schema2}, */*` });
    expect([json.status, json.header('Content-Type')]).toEqual([200, 'application/json']);
    expect((await ask('Artifactory', 'GET', manifest, { ...headers, Accept: schema2 })).status).toBe(406);
    const { status, ...answer } = await ask('Artifactory', 'GET', layer, headers);
    expect([status, answer.header('Location')]).toEqual([
      302,
      expect.stringMatching(/^\/artifactory\/store\//),
    ]);
    const stored = new URL(answer.header('Location') ?? '', at('Artifactory').url).href;
    expect((await send(stored, 'GET')).status).toBe(401);
    expect((await send(stored, 'GET', headers)).status).toBe(200);
  });

  it('the plain ones: no digest, or no HEAD', async () => {
    const accept = { Accept: schema2 };
    const head = await ask('a registry without Docker-Content-Digest', 'HEAD', manifest, accept);
    expect([head.status, head.header('Docker-Content-Digest'), head.header('ETag')]).toEqual([
      200,
      undefined,
      undefined,
    ]);
    expect((await ask('a registry without HEAD of manifests', 'HEAD', manifest, accept)).status).toBe(405);
    expect((await ask('a registry without HEAD of manifests', 'GET', manifest, accept)).status).toBe(200);
  });
});
