import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type Replica, startReplica } from '../support/fleet.ts';
import { type HeaderLine, manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type RawResponse, rawRequest } from '../support/raw-http.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { simulator } from '../support/simulators/all.ts';
import { behind } from '../support/upstreams/behind.ts';
import { dockerHub, getsOfManifests, pullsSpent } from '../support/upstreams/docker-hub.ts';
import { expectSample } from '../support/upstreams/expectations.ts';
import { forget, type Upstream } from '../support/upstreams/habit.ts';
import { startLoopback } from '../support/upstreams/loopback.ts';

const samples = [
  'sample/oci',
  'sample/index',
  'sample/oci-zstd',
  'sample/generic',
  'sample/schema1',
  'sample/list',
];

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const noSchema1: readonly HeaderLine[] = [
  ['User-Agent', 'containerd/2.1.0'],
  ['Accept', 'application/vnd.oci.image.manifest.v1+json'],
];

/** Six different conversions. */
const conversions: readonly (readonly [
  repository: string,
  client: string,
  headers: readonly HeaderLine[],
])[] = [
  ['sample/oci', 'Docker 1.9', docker19],
  ['sample/oci', 'Docker 1.13', docker113],
  ['sample/index', 'Docker 1.13', docker113],
  ['sample/oci-zstd', 'Docker 1.13', docker113],
  ['sample/generic', 'Docker 1.9', docker19],
  ['sample/schema1', 'containerd 2.1', noSchema1],
];

describe.skipIf(requirePeers('docker-registry', 'redis-server'))('a fleet of two', () => {
  let registry: DockerRegistry;
  let redis: RedisServer;
  const running: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples });
  });
  afterEach(async () => {
    for (const stop of running.splice(0).toReversed()) await stop();
  });
  afterAll(() => registry?.stop());

  /** The registry without any habit; its requests are written down. */
  async function plain(): Promise<Upstream> {
    const real = behind(registry.url);
    const server = await startLoopback(real.ask);
    const stop = async () => {
      await server.stop();
      real.stop();
    };
    running.push(stop);
    return { url: server.url, registry: server, stop };
  }

  async function hub(): Promise<Upstream> {
    const upstream = await dockerHub().start(registry.url);
    running.push(upstream.stop);
    return upstream;
  }

  async function replica(
    { url }: Pick<Upstream, 'url'>,
    variables: Record<string, string> = {},
  ): Promise<Replica> {
    const started = await startReplica(url, redis.url, variables);
    running.push(started.stop);
    return started;
  }

  async function fleet(upstream: Upstream): Promise<[Replica, Replica]> {
    redis = await startRedisServer();
    running.push(() => redis.stop());
    return [await replica(upstream), await replica(upstream)];
  }

  const upstreams = [
    ['docker-registry', plain],
    ['Docker Hub', hub],
  ] as const;

  describe.each(upstreams)('in front of %s', (_name, upstreamOf) => {
    it.each(conversions)('makes %s for %s once', async (repository, _client, headers) => {
      const upstream = await upstreamOf();
      const [one, other] = await fleet(upstream);
      const made = await one.get(`/v2/${repository}/manifests/latest`, headers);
      expect(made.status).toBe(200);
      expect(made.header('Regshift-Conversion')).toBeDefined();
      forget(upstream);
      const same = await other.get(`/v2/${repository}/manifests/latest`, headers);
      expect(same.status).toBe(200);
      // Signatures are random: equal bytes were signed once.
      expect(same.body).toEqual(made.body);
      // The first bytes of layers (206) are read in the background.
      const asked = upstream.registry.asked.filter(({ status }) => status < 400 && status !== 206);
      expect(asked.map(({ method }) => method)).toEqual(['HEAD']);
    });

    it.each(conversions)('serves the digest of %s for %s at once', async (repository, _client, headers) => {
      const upstream = await upstreamOf();
      const [one, other] = await fleet(upstream);
      const made = await one.get(`/v2/${repository}/manifests/latest`, headers);
      forget(upstream);
      const digest = made.header('Docker-Content-Digest');
      const given = await other.get(`/v2/${repository}/manifests/${digest}`, headers);
      expect(given.status).toBe(200);
      expect(given.body).toEqual(made.body);
      // A HEAD of the source proves the right to the digest, and nothing is searched.
      // The first bytes of layers (206) are read in the background.
      const asked = upstream.registry.asked.filter(({ status }) => status < 400 && status !== 206);
      expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
        expect.stringMatching(`^HEAD /v2/${repository}/manifests/sha256:`),
      ]);
    });

    it('serves the config and the layers that another one made', async () => {
      const upstream = await upstreamOf();
      const [one, other] = await fleet(upstream);
      for (const [repository, headers] of [
        ['sample/schema1', noSchema1],
        ['sample/oci-zstd', docker113],
      ] as const) {
        const { body } = await one.get(`/v2/${repository}/manifests/latest`, headers);
        const { config, layers } = JSON.parse(new TextDecoder().decode(body));
        forget(upstream);
        for (const { digest, size } of [config, ...layers]) {
          const blob = await other.get(`/v2/${repository}/blobs/${digest}`);
          expect([blob.status, blob.body.length]).toEqual([200, size]);
        }
        // The right to the image: a HEAD, or a GET where the replica knows that the registry counts no pulls.
        expect(getsOfManifests(upstream.registry).length).toBeLessThanOrEqual(1);
      }
    });

    it('asked at once makes the same, at most once each', async () => {
      const upstream = await upstreamOf();
      const replicas = await fleet(upstream);
      const answers = await Promise.all(
        replicas.map((each) => each.get('/v2/sample/oci/manifests/latest', docker113)),
      );
      expect(new Set(answers.map((answer) => answer.header('Docker-Content-Digest'))).size).toBe(1);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(getsOfManifests(upstream.registry).length).toBeLessThanOrEqual(2);
    });
  });

  it('spends one pull on each manifest, whoever asks whom', async () => {
    const upstream = await hub();
    const replicas = await fleet(upstream);
    for (const client of ['Docker 1.9.1', 'Docker 17.05', 'Docker 20.10', 'containerd 1.6']) {
      for (const { port } of replicas) {
        const target = { port, repository: 'sample/index', reference: 'latest' };
        expectSample(await simulator(client).pull(target), 'sample/index');
      }
    }
    const pulls = pullsSpent(upstream);
    expect(pulls).toHaveLength(2);
    expect(new Set(pulls).size).toBe(2);
  });

  describe('has a tag that moved at once', () => {
    const path = '/v2/sample/moved/manifests/latest';
    const secret = 'of-the-events-of-a-registry';

    /** Two replicas that remember a tag for an hour, both with its first image. */
    async function rememberingFleet(variables: Record<string, string>): Promise<[Replica, Replica]> {
      await moveTo('sample/oci');
      redis = await startRedisServer();
      running.push(() => redis.stop());
      const long = { REGSHIFT_TAG_TTL: '3600', ...variables };
      const replicas: [Replica, Replica] = [await replica(registry, long), await replica(registry, long)];
      for (const each of replicas) await each.get(path, docker113);
      return replicas;
    }

    async function image(name: string): Promise<RawResponse> {
      const accept = ['Accept', 'application/vnd.oci.image.manifest.v1+json'] as const;
      return rawRequest({ ...at(`/v2/${name}/manifests/latest`), method: 'GET', headers: [accept] });
    }

    function at(path: string) {
      return { port: Number(new URL(registry.url).port), path };
    }

    /** Moves the tag at the registry, which tells nobody. */
    async function moveTo(name: string): Promise<void> {
      const { config, layers } = JSON.parse(new TextDecoder().decode((await image(name)).body));
      for (const { digest } of [config, ...layers]) {
        const mount = `/v2/sample/moved/blobs/uploads/?mount=${digest}&from=${name}`;
        await rawRequest({ ...at(mount), method: 'POST', headers: [['Content-Length', '0']] });
      }
      const { status } = await put({ ...at(path), body: (await image(name)).body });
      expect(status).toBe(201);
    }

    function put(request: { readonly port: number; readonly path: string; readonly body: Uint8Array }) {
      const headers: HeaderLine[] = [
        ['Content-Type', 'application/vnd.oci.image.manifest.v1+json'],
        ['Content-Length', String(request.body.length)],
      ];
      return rawRequest({ ...request, method: 'PUT', headers });
    }

    async function configOf(one: Replica): Promise<string> {
      return JSON.parse(new TextDecoder().decode((await one.get(path, docker113)).body)).config.digest;
    }

    it('through one of its replicas', async () => {
      const [one, other] = await rememberingFleet({ REGSHIFT_PUSH: 'allow' });
      const before = await configOf(other);
      await moveTo('sample/oci-zstd');
      expect(await configOf(other)).toBe(before);
      const { body } = await image('sample/oci-zstd');
      expect((await put({ port: one.port, path, body })).status).toBe(201);
      await vi.waitFor(async () => expect(await configOf(other)).not.toBe(before), 3_000);
      expect(await configOf(one)).toBe(await configOf(other));
    });

    it('whose registry notified one of its replicas', async () => {
      const [one, other] = await rememberingFleet({ REGSHIFT_EVENTS_SECRET: secret });
      const before = await configOf(other);
      await moveTo('sample/oci-zstd');
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const target = { mediaType, repository: 'sample/moved', tag: 'latest' };
      const notified = await fetch(`http://127.0.0.1:${one.port}/events`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${secret}` },
        body: JSON.stringify({ events: [{ action: 'push', target }] }),
      });
      expect(notified.status).toBe(202);
      await vi.waitFor(async () => expect(await configOf(other)).not.toBe(before), 3_000);
    });
  });

  describe('whose Redis is killed and started again', () => {
    it('under load fails no pull, says so once each way, and shares again', async () => {
      const upstream = await hub();
      const replicas = await fleet(upstream);
      const ends = new AbortController();
      const statuses: number[] = [];
      const slowest: number[] = [];
      const load = replicas.map(async (each, index) => {
        for (let turn = index; !ends.signal.aborted; turn += 1) {
          const [repository, , headers] = conversions[turn % conversions.length] ?? conversions[0] ?? [];
          const started = performance.now();
          const byTag = await each.get(`/v2/${repository}/manifests/latest`, headers);
          const digest = byTag.header('Docker-Content-Digest');
          const byDigest = await each.get(`/v2/${repository}/manifests/${digest}`, headers);
          statuses.push(byTag.status, byDigest.status);
          slowest.push(performance.now() - started);
        }
      });
      await sleep(500);
      await redis.kill();
      await sleep(1_500);
      redis = await startRedisServer({ port: redis.port });
      await vi.waitFor(() => expect(replicas.map((each) => each.ofRedis().length)).toEqual([2, 2]), 15_000);
      await sleep(500);
      ends.abort();
      await Promise.all(load);
      expect(statuses.length).toBeGreaterThan(50);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      expect(Math.max(...slowest)).toBeLessThan(5_000);
      for (const { logged } of replicas) {
        const said = logged.filter(({ level }) => level === 'warn' || level === 'error');
        expect(said.map(({ message }) => message)).toEqual(['Redis is away: going on without it']);
        expect(logged.filter(({ message }) => message === 'Redis is back').map(({ level }) => level)).toEqual(
          ['info'],
        );
      }
      await expectShared(upstream, replicas, 'sample/list');
    });

    it('puts back what it gives out again, though it was written before', async () => {
      const upstream = await hub();
      const [one] = await fleet(upstream);
      const before = await one.get('/v2/sample/oci/manifests/latest', docker19);
      await redis.kill();
      redis = await startRedisServer({ port: redis.port });
      await vi.waitFor(() => expect(one.ofRedis()).toHaveLength(2), 15_000);
      const again = await one.get('/v2/sample/oci/manifests/latest', docker19);
      expect(again.body).toEqual(before.body);
      const third = await replica(upstream);
      forget(upstream);
      const digest = again.header('Docker-Content-Digest');
      const given = await third.get(`/v2/sample/oci/manifests/${digest}`, docker19);
      expect([given.status, given.body]).toEqual([200, again.body]);
      expect(getsOfManifests(upstream.registry)).toEqual([]);
    });

    /** Checks that one replica serves the digest of the other's conversion without a pull. */
    async function expectShared(upstream: Upstream, [one, other]: readonly Replica[], repository: string) {
      const made = await one?.get(`/v2/${repository}/manifests/latest`, docker19);
      expect(made?.status).toBe(200);
      forget(upstream);
      const digest = made?.header('Docker-Content-Digest');
      const given = await other?.get(`/v2/${repository}/manifests/${digest}`, docker19);
      expect([given?.status, given?.body]).toEqual([200, made?.body]);
      expect(getsOfManifests(upstream.registry)).toEqual([]);
    }
  });
});
