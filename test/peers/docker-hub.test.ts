import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { simulator, simulators } from '../support/simulators/all.ts';
import { pingAndLogIn } from '../support/simulators/ping.ts';
import { startSession } from '../support/simulators/session.ts';
import { hubLogin } from '../support/upstreams/all.ts';
import {
  type DockerHubOptions,
  dockerHub,
  getsOfManifests,
  pullsSpent,
} from '../support/upstreams/docker-hub.ts';
import { expectNoLeak, expectPulls, expectSample } from '../support/upstreams/expectations.ts';
import { forget, type Login, type Upstream } from '../support/upstreams/habit.ts';

const samples = ['sample/oci', 'sample/index', 'sample/schema2'];
const nobodys = digestOf(new TextEncoder().encode('made up'));

describe.skipIf(requirePeers('docker-registry'))('in front of Docker Hub', () => {
  let registry: DockerRegistry;
  const running: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples });
  });
  afterEach(async () => {
    for (const stop of running.splice(0).toReversed()) await stop();
  });
  afterAll(() => registry?.stop());

  const hub = async (options: DockerHubOptions = {}): Promise<Upstream> => {
    const upstream = await dockerHub(options).start(registry.url);
    running.push(upstream.stop);
    return upstream;
  };
  const proxyOf = async (
    { url }: Upstream,
    variables: Record<string, string> = {},
  ): Promise<RunningProxy> => {
    const proxy = await startProxy(url, variables);
    running.push(proxy.stop);
    return proxy;
  };
  const target = ({ port }: RunningProxy, repository: string, reference = 'latest', login?: Login) => ({
    port,
    repository,
    reference,
    ...(login ? { login } : {}),
  });

  /** Sends one request with a token, as Docker 1.9 does. */
  const askAs = async ({ port }: RunningProxy, path: string, login?: Login) => {
    const [, repository = ''] = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(path) ?? [];
    const session = startSession(target({ port } as RunningProxy, repository, '', login));
    const headers = [['User-Agent', 'docker/1.9.1 go/go1.4.2 os/linux arch/amd64']] as const;
    await pingAndLogIn(session, { headers, times: 1, actions: 'pull' });
    return session.send('GET', path, headers);
  };

  describe('pulls', () => {
    it('of all clients together cost each manifest once', async () => {
      const upstream = await hub();
      const proxy = await proxyOf(upstream);
      for (const sample of ['sample/oci', 'sample/schema2']) {
        for (const client of simulators) expectSample(await client.pull(target(proxy, sample)), sample);
      }
      expectPulls(upstream, 2);
    });

    it('of all clients at once cost each manifest once', async () => {
      const upstream = await hub();
      const proxy = await proxyOf(upstream);
      await Promise.all(simulators.map((client) => client.pull(target(proxy, 'sample/index'))));
      expectPulls(upstream, 2);
    });

    it('of a list whole, where the operator wants it so, cost every image of it', async () => {
      const upstream = await hub();
      const proxy = await proxyOf(upstream, { REGSHIFT_LISTS: 'full' });
      const pulled = await simulator('Docker 17.05').pull(target(proxy, 'sample/index'));
      expectSample(pulled, 'sample/index');
      expect(pulled.types).toHaveLength(2);
      // The index and two images; the attestations are passed on without being read.
      expectPulls(upstream, 3);
    });

    it('that are used up: what is remembered is given, all else is 429 with Retry-After', async () => {
      const upstream = await hub({ limit: 1 });
      const proxy = await proxyOf(upstream);
      const docker = simulator('Docker 1.9.1');
      expectSample(await docker.pull(target(proxy, 'sample/oci')), 'sample/oci');
      const refused = await askAs(proxy, '/v2/sample/schema2/manifests/latest');
      expect([refused.status, refused.header('Retry-After')]).toEqual([429, '3600']);
      expect(new TextDecoder().decode(refused.body)).toContain('TOOMANYREQUESTS');
      expectSample(await docker.pull(target(proxy, 'sample/oci')), 'sample/oci');
      expectSample(await simulator('Docker 17.05').pull(target(proxy, 'sample/oci')), 'sample/oci');
      expect(pullsSpent(upstream)).toHaveLength(1);
    });
  });

  describe.each([
    ['by the anonymous', undefined],
    ['with a login', hubLogin],
  ])('digests made up %s cost no pull', (_, login) => {
    const options = login ? { login } : {};
    const paths = samples.flatMap((sample) =>
      ['manifests', 'blobs'].map((kind) => `/v2/${sample}/${kind}/${nobodys}`),
    );

    it('at a proxy that has served nothing yet', async () => {
      const upstream = await hub(options);
      for (const path of paths) {
        const answer = await askAs(await proxyOf(upstream), path, login);
        expect([path, answer.status]).toEqual([path, 404]);
      }
      expect(getsOfManifests(upstream.registry)).toEqual([]);
    });

    it('at one that has', async () => {
      const upstream = await hub(options);
      const proxy = await proxyOf(upstream);
      // The second client gets the stored index, so that only its own image of the index is remembered then.
      for (const [sample, client] of [
        ['sample/oci', 'Docker 1.9.1'],
        ['sample/index', 'skopeo 1.9'],
        ['sample/schema2', 'Docker 17.05'],
      ] as const) {
        await simulator(client).pull(target(proxy, sample, 'latest', login));
      }
      forget(upstream);
      for (const path of paths) expect((await askAs(proxy, path, login)).status).toBe(404);
      expect(getsOfManifests(upstream.registry)).toEqual([]);
    });

    it('nor when they come by the hundred, and each is asked about by few HEADs', async () => {
      const upstream = await hub(options);
      const proxy = await proxyOf(upstream);
      await askAs(proxy, `/v2/sample/oci/manifests/${nobodys}`, login);
      forget(upstream);
      const many = Array.from({ length: 100 }, (_each, index) =>
        digestOf(new TextEncoder().encode(`${index}`)),
      );
      const answers = await Promise.all(
        many.map((digest) => askAs(proxy, `/v2/sample/oci/manifests/${digest}`, login)),
      );
      // A client whose searches failed that often is told to retry, and never that a digest is unknown.
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 503]));
      expect(upstream.registry.asked.filter(({ path }) => path.includes('/tags/list')).length).toBeLessThan(
        20,
      );
      expect(getsOfManifests(upstream.registry)).toEqual([]);
    });
  });

  describe('tokens', () => {
    it('that upstream forgets early are got anew, for who brings none', async () => {
      const upstream = await hub();
      const proxy = await proxyOf(upstream, { REGSHIFT_TAG_TTL: '0' });
      const containerd = simulator('containerd 1.6');
      expectSample(await containerd.pull(target(proxy, 'sample/oci')), 'sample/oci');
      upstream.tokens?.advance(301);
      const again = await containerd.pull(target(proxy, 'sample/oci'));
      expectSample(again, 'sample/oci');
      expect(again.requests.filter((each) => each.includes('/token'))).toEqual([]);
      expectNoLeak(upstream, dockerHub());
    });

    it('without the right to pull are refused, with the challenge that leads to one', async () => {
      const upstream = await hub({ login: hubLogin });
      const proxy = await proxyOf(upstream);
      for (const client of simulators) {
        await expect(client.pull(target(proxy, 'sample/oci'))).rejects.toThrow('401');
      }
      const answer = await askAs(proxy, '/v2/sample/oci/manifests/latest');
      expect(answer.header('WWW-Authenticate')).toContain(
        `Bearer realm="http://127.0.0.1:${proxy.port}/token"`,
      );
      expect(answer.header('WWW-Authenticate')).toContain('scope="repository:sample/oci:pull"');
      expect(pullsSpent(upstream)).toEqual([]);
    });

    it('are got from upstream itself where the proxy relays none', async () => {
      const upstream = await hub({ login: hubLogin });
      const proxy = await proxyOf(upstream, { REGSHIFT_TOKEN_RELAY: 'never' });
      const pulled = await simulator('Docker 17.05').pull(target(proxy, 'sample/oci', 'latest', hubLogin));
      expectSample(pulled, 'sample/oci');
      expect(pulled.requests.filter((each) => each.includes('/token')).join()).toContain(
        upstream.tokenServer?.url,
      );
    });
  });
});
