import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { conversionsMade } from '../support/conversions-made.ts';
import { freePort } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type Replica, type ReplicaProcess, startReplica, startReplicaProcess } from '../support/fleet.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import {
  certificateOf127001,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '../support/redis-server.ts';
import { dockerHub, getsOfManifests } from '../support/upstreams/docker-hub.ts';
import { forget, type Upstream } from '../support/upstreams/habit.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const password = 'of-a%test:@/';
const path = '/v2/sample/oci/manifests/latest';

/** A second signing key, for tests only. */
const otherKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg04NTJZ9AKTQpwaBz
JbBJR+4V6oBma0zkkAW4eh9TnrGhRANCAAQAYX2ofddyW4L8McrWczA9hMAtTBo8
/5z4gpzKGpkT+DmOkucb517SFHzgsaTpDyaVPDk2b+qtzwYo9OWnwNon
-----END PRIVATE KEY-----`;

describe.skipIf(requirePeers('docker-registry', 'redis-server', 'openssl'))('the Redis of a fleet', () => {
  let home: string;
  let registry: DockerRegistry;
  let upstream: Upstream;
  const running: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-fleet-'));
    registry = await startDockerRegistry({ samples: ['sample/oci', 'sample/index', 'sample/schema1'] });
    upstream = await dockerHub().start(registry.url);
  });
  afterEach(async () => {
    for (const stop of running.splice(0).toReversed()) await stop();
    forget(upstream);
  });
  afterAll(async () => {
    await upstream?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function redisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
    const redis = await startRedisServer(options);
    running.push(() => redis.stop());
    return redis;
  }

  async function replica(url: string, variables: Record<string, string> = {}): Promise<Replica> {
    const started = await startReplica(upstream.url, url, variables);
    running.push(started.stop);
    return started;
  }

  async function administrator({ url }: RedisServer) {
    const client = createClient({ url, RESP: 2 });
    // Some tests stop the server before the client.
    client.on('error', () => undefined);
    await client.connect();
    running.push(async () => client.destroy());
    return client;
  }

  /** Whether one replica serves the digest of the other's conversion without a pull. */
  async function isShared(one: Pick<Replica, 'get'>, other: Pick<Replica, 'get'>): Promise<boolean> {
    const made = await one.get(path, docker19);
    expect(made.status).toBe(200);
    forget(upstream);
    const given = await other.get(
      `/v2/sample/oci/manifests/${made.header('Docker-Content-Digest')}`,
      docker19,
    );
    return given.status === 200 && getsOfManifests(upstream.registry).length === 0;
  }

  describe('over TLS, with a certificate of its own', () => {
    async function started(redis: string, variables: Record<string, string>): Promise<ReplicaProcess> {
      const replica = await startReplicaProcess(upstream.url, redis, variables);
      running.push(replica.stop);
      return replica;
    }

    async function secured(): Promise<{ readonly redis: RedisServer; readonly certificate: string }> {
      const { certificate, key } = await certificateOf127001(home);
      return { redis: await redisServer({ password, tls: { certificate, key } }), certificate };
    }

    it('is used by those who are told to trust it', async () => {
      const { redis, certificate } = await secured();
      const trust = { NODE_EXTRA_CA_CERTS: certificate };
      expect(await isShared(await started(redis.url, trust), await started(redis.url, trust))).toBe(true);
    });

    it('is not spoken to by those who are not, and their pulls go on', async () => {
      const { redis, certificate } = await secured();
      const trusting = await started(redis.url, { NODE_EXTRA_CA_CERTS: certificate });
      expect(await isShared(await started(redis.url, {}), trusting)).toBe(false);
    });
  });

  it('is logged in to, and the password is told to nobody', async () => {
    const redis = await redisServer({ password });
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    expect(await isShared(one, other)).toBe(true);
    const wrong = await replica(redis.url.replace('of-a', 'not-of-a'));
    expect(wrong.logged.map(({ facts }) => String(facts?.reason)).join()).toContain('WRONGPASS');
    expect((await wrong.get(path, docker19)).status).toBe(200);
    expect(JSON.stringify([one.logged, other.logged, wrong.logged])).not.toMatch(/of-a/);
  });

  it('needs no more commands and names than the guide says', async () => {
    const guide = await readFile(join(import.meta.dirname, '../../docs/fleet.md'), 'utf8');
    const [, commands = ''] = /The user needs these commands: `([^`]+)`/.exec(guide) ?? [];
    const user = ['--user', 'regshift', 'on', '>of-a-test', '~regshift:*', ...commands.split(' ')];
    const redis = await redisServer({ settings: user });
    const url = redis.url.replace('//', '//regshift:of-a-test@').concat('/1');
    const first = await startReplica(upstream.url, url);
    const [one, other] = [await replica(url), await replica(url)];
    await first.stop();
    expect(await isShared(one, other)).toBe(true);
    expect(
      [first, one, other].flatMap(({ logged }) => logged.filter(({ level }) => level === 'warn')),
    ).toEqual([]);
  });

  it('lets one replica make a conversion that several are asked for at once', async () => {
    const redis = await redisServer();
    const metricsPorts = [await freePort(), await freePort(), await freePort()];
    const replicas = await Promise.all(
      metricsPorts.map((port) => replica(redis.url, { REGSHIFT_METRICS_PORT: String(port) })),
    );
    const asked = replicas.flatMap((each) => [each, each, each, each]);
    const digests = await Promise.all(
      asked.map(async (each) => (await each.get(path, docker19)).header('Docker-Content-Digest')),
    );
    expect(new Set(digests).size).toBe(1);
    const texts = await Promise.all(
      metricsPorts.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    expect(conversionsMade(texts.join('\n'))).toEqual([1]);
  });

  it('holds entries with an end and a code, and no tag, no name and no login in its names', async () => {
    const redis = await redisServer();
    const one = await replica(redis.url);
    await one.get(path, docker19);
    await one.get('/v2/sample/schema1/manifests/latest', [
      ['Accept', 'application/vnd.oci.image.manifest.v1+json'],
    ]);
    const client = await administrator(redis);
    const names = (await client.keys('*')).filter((name) => !/^regshift:replicas?\b/.test(name));
    const form =
      /^regshift:1\.1:[0-9a-f]{8}:(recipe|product|made-config|layer-facts|manifest|compression):[0-9a-f]{64}$/;
    expect(names.filter((name) => !form.test(name))).toEqual([]);
    expect(new Set(names.map((name) => form.exec(name)?.[1]))).toEqual(
      new Set(['recipe', 'product', 'made-config', 'layer-facts', 'manifest']),
    );
    for (const name of names) {
      const days = (await client.ttl(name)) / 86_400;
      const whole = /:(product|made-config|manifest):/.test(name);
      expect(Math.ceil(days)).toBe(whole ? 7 : 90);
    }
  });

  it('that stands still holds up no pull for long, and is left alone', async () => {
    const redis = await redisServer();
    const one = await replica(redis.url);
    const client = await administrator(redis);
    await client.sendCommand(['CLIENT', 'PAUSE', '600000', 'ALL']);
    const timed = async (client: typeof docker19 | typeof docker113) => {
      const started = performance.now();
      expect((await one.get(path, client)).status).toBe(200);
      return performance.now() - started;
    };
    expect(await timed(docker19)).toBeLessThan(4_000);
    expect(one.ofRedis()).toEqual(['Redis is away: going on without it']);
    // The conversion is new: each of its cache requests would have waited.
    expect(await timed(docker113)).toBeLessThan(250);
    await redis.kill();
  });

  it('that is full is said so once, and pulls go on', async () => {
    const redis = await redisServer({ settings: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] });
    const one = await replica(redis.url);
    for (const headers of [docker19, docker113]) expect((await one.get(path, headers)).status).toBe(200);
    const said = one.logged.filter(({ level }) => level === 'warn');
    expect(said.map(({ message }) => message)).toEqual(['Redis refuses a command: going on without']);
    expect(String(said[0]?.facts?.reason)).toContain('OOM');
  });

  it('that is not there at the start is found later', async () => {
    const port = await freePort();
    const one = await replica(`redis://localhost:${port}`);
    expect(one.ofRedis()).toEqual(['Redis is away: going on without it']);
    expect(one.logged[0]?.facts?.reason).toContain('ECONNREFUSED');
    expect((await one.get(path, docker19)).status).toBe(200);
    const redis = await redisServer({ port });
    await vi.waitFor(() => expect(one.ofRedis()).toHaveLength(2), 15_000);
    expect(await isShared(one, await replica(redis.url))).toBe(true);
  });

  it('with entries that someone has changed is as good as empty', async () => {
    const redis = await redisServer();
    const one = await replica(redis.url);
    const made = await one.get(path, docker19);
    const client = await administrator(redis);
    const names = await client.keys('regshift:1.1:*');
    const values = await client.mGet(names);
    // Each entry gets the intact value of another entry.
    for (const [index, name] of names.entries())
      await client.set(name, values[(index + 1) % names.length] ?? '');
    const other = await replica(redis.url);
    forget(upstream);
    const again = await other.get(path, docker19);
    expect(again.header('Docker-Content-Digest')).toBe(made.header('Docker-Content-Digest'));
    expect(getsOfManifests(upstream.registry)).toHaveLength(1);
  });

  describe('tells replicas', () => {
    const differing = ({ logged }: Replica) =>
      logged
        .filter(({ message }) => message.startsWith('another replica'))
        .map(({ facts }) => facts?.differing);

    it('of the same settings nothing', async () => {
      const redis = await redisServer();
      await replica(redis.url);
      expect(differing(await replica(redis.url))).toEqual([]);
    });

    it('what another one is set to', async () => {
      const redis = await redisServer();
      await replica(redis.url);
      const other = await replica(redis.url, { REGSHIFT_FORMAT: 'schema2' });
      expect(differing(other)).toEqual([{ REGSHIFT_FORMAT: { here: 'schema2', there: 'auto' } }]);
    });

    it('that another one signs with another key, and neither sees entries of the other', async () => {
      const redis = await redisServer();
      const one = await replica(redis.url);
      const other = await replica(redis.url, { REGSHIFT_SIGNING_KEY: otherKey });
      expect(differing(other)).toEqual([{ REGSHIFT_SIGNING_KEY: expect.anything() }]);
      expect(await isShared(one, other)).toBe(false);
    });

    it('nothing of one that has left', async () => {
      const redis = await redisServer();
      const one = await startReplica(upstream.url, redis.url);
      await one.stop();
      const other = await replica(redis.url, { REGSHIFT_FORMAT: 'schema2' });
      expect(differing(other)).toEqual([]);
    });
  });
});
