import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseRedisAddress } from '../../src/config/redis-address.ts';
import { openRedisConnection } from '../../src/runtime/node/redis/connection.ts';
import { freePort } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type Replica, type ReplicaProcess, startReplica, startReplicaProcess } from '../support/fleet.ts';
import { testMemory } from '../support/memory.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { certificateOf127001 } from '../support/redis-server.ts';
import { type RedisTopology, startCluster, startSentinels } from '../support/redis-topologies.ts';
import { dockerHub, getsOfManifests } from '../support/upstreams/docker-hub.ts';
import { forget, type Upstream } from '../support/upstreams/habit.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const repositories = ['sample/oci', 'sample/index', 'sample/generic'];
const samples = [...repositories, 'sample/oci-zstd'];
const topologies = [
  ['Sentinels', startSentinels],
  ['a cluster', startCluster],
] as const;

describe.skipIf(requirePeers('docker-registry', 'redis-server', 'redis-cli', 'openssl'))(
  'a fleet with',
  () => {
    let registry: DockerRegistry;
    let upstream: Upstream;
    const running: (() => Promise<unknown>)[] = [];
    beforeAll(async () => {
      registry = await startDockerRegistry({ samples });
      upstream = await dockerHub().start(registry.url);
    });
    afterEach(async () => {
      for (const stop of running.splice(0).toReversed()) await stop();
      forget(upstream);
    });
    afterAll(async () => {
      await upstream?.stop();
      await registry?.stop();
    });

    async function started(start: () => Promise<RedisTopology>): Promise<RedisTopology> {
      const redis = await start();
      running.push(redis.stop);
      return redis;
    }

    async function replica(url: string): Promise<Replica> {
      const one = await startReplica(upstream.url, url, { REGSHIFT_TAG_TTL: '0' });
      running.push(one.stop);
      return one;
    }

    const pull = (one: Pick<Replica, 'get'>, repository: string, headers = docker19) =>
      one.get(`/v2/${repository}/manifests/latest`, headers);

    /** Whether one replica serves the digests of the other's conversions without a pull. */
    async function isShared(
      one: Pick<Replica, 'get'>,
      other: Pick<Replica, 'get'>,
      headers = docker19,
    ): Promise<boolean> {
      for (const repository of repositories) {
        const made = await pull(one, repository, headers);
        expect(made.status).toBe(200);
        forget(upstream);
        const digest = made.header('Docker-Content-Digest');
        const given = await other.get(`/v2/${repository}/manifests/${digest}`, headers);
        if (given.status !== 200 || getsOfManifests(upstream.registry).length > 0) return false;
      }
      return true;
    }

    describe.each(topologies)('%s', (_name, start) => {
      it('shares conversions, and logs no warning and no password', async () => {
        const { url } = await started(start);
        const [one, other] = [await replica(url), await replica(url)];
        expect(await isShared(one, other)).toBe(true);
        const logged = [one, other].flatMap((each) => each.logged);
        expect(logged.filter(({ level }) => level === 'warn')).toEqual([]);
        expect(JSON.stringify(logged)).not.toMatch(/of-data|of-sentinel/);
      });

      it('pulls on while the master fails, and shares again with the new master', async () => {
        const redis = await started(start);
        const [one, other] = [await replica(redis.url), await replica(redis.url)];
        await isShared(one, other);
        const statuses = new Set<number>();
        let isOver = false;
        const load = [one, other].flatMap((each) =>
          samples.map(async (repository) => {
            let meanwhile = 0;
            while (!isOver) {
              statuses.add((await pull(each, repository)).status);
              statuses.add((await pull(each, repository, docker113)).status);
              if (each.ofRedis().at(-1) === 'Redis is away: going on without it') meanwhile += 1;
              await sleep(20);
            }
            return meanwhile;
          }),
        );
        await redis.failOver();
        const isBack = () => [one, other].every((each) => each.ofRedis().at(-1) === 'Redis is back');
        await vi.waitFor(() => expect(isBack()).toBe(true), { timeout: 20_000, interval: 50 });
        isOver = true;
        const meanwhile = await Promise.all(load);
        expect([...statuses]).toEqual([200]);
        // A client whose pull waited for the new master would end one round at most.
        expect(Math.min(...meanwhile)).toBeGreaterThan(2);
        expect(one.ofRedis().slice(0, 2)).toEqual(['Redis is away: going on without it', 'Redis is back']);
        // Replicas that know nothing read the entries of before and of after.
        const [third, fourth] = [await replica(redis.url), await replica(redis.url)];
        expect([third.ofRedis(), fourth.ofRedis()]).toEqual([[], []]);
        expect(await isShared(one, third)).toBe(true);
        expect(await isShared(fourth, other, docker113)).toBe(true);
      }, 60_000);

      it('leaves a master alone that stands still, and pulls on', async () => {
        const redis = await started(start);
        const one = await replica(redis.url);
        await redis.pause();
        for (const repository of samples) expect((await pull(one, repository)).status).toBe(200);
        expect(one.ofRedis()[0]).toBe('Redis is away: going on without it');
        await vi.waitFor(() => expect(one.ofRedis().at(-1)).toBe('Redis is back'), {
          timeout: 40_000,
          interval: 50,
        });
        // In a cluster, another server may have answered while the servers still elect a master in place of this one.
        await vi.waitFor(async () => expect(await isShared(one, await replica(redis.url))).toBe(true), {
          timeout: 20_000,
          interval: 500,
        });
      }, 80_000);

      it('needs no more commands and names than the guide says', async () => {
        const guide = await readFile(join(import.meta.dirname, '../../docs/fleet.md'), 'utf8');
        const commands = [
          /The user needs these commands: `([^`]+)`/.exec(guide)?.[1],
          start === startCluster ? /In a cluster, the user also needs `([^`]+)`/.exec(guide)?.[1] : '',
        ].join(' ');
        const settings = [
          '--user',
          'regshift',
          'on',
          '>of-a-test',
          '~regshift:*',
          ...commands.trim().split(' '),
        ];
        const sentinelRights = /A user of the Sentinels needs `([^`]+)`/.exec(guide)?.[1] ?? '';
        const { url } = await started(() => start({ settings, login: 'regshift:of-a-test', sentinelRights }));
        const first = await startReplica(upstream.url, url);
        const [one, other] = [await replica(url), await replica(url)];
        await first.stop();
        expect(await isShared(one, other)).toBe(true);
        const logged = [first, one, other].flatMap((each) => each.logged);
        expect(logged.filter(({ level }) => level === 'warn')).toEqual([]);
      });

      it('is spoken to by TLS', async () => {
        const home = await mkdtemp(join(tmpdir(), 'regshift-fleet-'));
        running.push(() => rm(home, { recursive: true, force: true }));
        const tls = await certificateOf127001(home);
        const { url } = await started(() => start({ tls }));
        const trust = { NODE_EXTRA_CA_CERTS: tls.certificate };
        const replicas = [1, 2].map(() => startReplicaProcess(upstream.url, url, trust));
        const [one, other] = (await Promise.all(replicas)) as [ReplicaProcess, ReplicaProcess];
        running.push(one.stop, other.stop);
        expect(await isShared(one, other)).toBe(true);
      });

      it('starts while all servers are away, and names the reason', async () => {
        const redis = await start();
        await redis.stop();
        const one = await replica(redis.url);
        expect(one.ofRedis()).toEqual(['Redis is away: going on without it']);
        expect(String(one.logged[0]?.facts?.reason)).toMatch(/ECONNREFUSED/);
        expect((await pull(one, 'sample/oci')).status).toBe(200);
      });

      it('starts while the master is away, and finds the next one', async () => {
        const redis = await started(start);
        const failing = redis.failOver();
        const one = await replica(redis.url);
        expect((await pull(one, 'sample/oci')).status).toBe(200);
        await failing;
        await vi.waitFor(() => expect(one.ofRedis().at(-1)).toBe('Redis is back'), {
          timeout: 20_000,
          interval: 50,
        });
        expect(await isShared(one, await replica(redis.url))).toBe(true);
      }, 60_000);
    });

    describe('a cluster', () => {
      it('is left alone after three late responses of one master, while the others respond', async () => {
        const redis = await started(startCluster);
        const address = parseRedisAddress(redis.url);
        if ('problem' in address) throw new Error(address.problem);
        const connection = await openRedisConnection({
          memory: testMemory(),
          address,
          log: () => {},
          onReconnect: () => {},
        });
        running.push(connection.close);
        // CLUSTER KEYSLOT: b is in slot 3300, of the first master, and a in slot 15495, of the third one.
        const ask = async (key: string) =>
          (await connection.run((client) => client.getRange(key, 0, 9)))?.length;
        expect([await ask('b'), await ask('a')]).toEqual([0, 0]);
        await redis.pause();
        for (const _ of [1, 2, 3]) {
          expect(connection.isDown()).toBe(false);
          expect(await ask('a')).toBe(0);
          expect(await ask('b')).toBe(undefined);
        }
        expect(connection.isDown()).toBe(true);
      });
    });

    describe('Sentinels', () => {
      it('works while one of them is away', async () => {
        const { url } = await started(startSentinels);
        const withDead = url.replace('@', `@127.0.0.1:${await freePort()},`);
        const [one, other] = [await replica(withDead), await replica(withDead)];
        expect(await isShared(one, other)).toBe(true);
        expect([one.ofRedis(), other.ofRedis()]).toEqual([[], []]);
      });

      it.each([
        [
          'the wrong name of the master',
          /sentinelMasterId=[^&]*/,
          'sentinelMasterId=other',
          'No such master',
        ],
        ['the wrong password of the Sentinels', /sentinelPassword=.*/, 'sentinelPassword=wrong', 'WRONGPASS'],
        ['no password of the Sentinels', /&sentinelPassword=.*/, '', 'NOAUTH'],
        ['the wrong password of the master', /of-data[^@]*/, 'wrong-data', 'WRONGPASS'],
      ])('and %s is told why Redis is away, without a password', async (_what, part, other, reason) => {
        const { url } = await started(startSentinels);
        const one = await replica(url.replace(part, other));
        expect((await pull(one, 'sample/oci')).status).toBe(200);
        expect(one.ofRedis()).toEqual(['Redis is away: going on without it']);
        expect(String(one.logged[0]?.facts?.reason)).toContain(reason);
        expect(JSON.stringify(one.logged)).not.toMatch(/of-data|of-sentinel|wrong/);
      });
    });
  },
);
