import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { startReplica } from '../support/fleet.ts';
import { requirePeers } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { simulators } from '../support/simulators/all.ts';
import type { Simulator } from '../support/simulators/simulator.ts';
import { dockerHub, pullsSpent } from '../support/upstreams/docker-hub.ts';

/** Stored forms, each with the sample that has it. */
const stored = {
  'schema 2': 'sample/schema2',
  'manifest list': 'sample/list',
  OCI: 'sample/oci',
  'OCI index': 'sample/index',
  'OCI index, zstd': 'sample/index-zstd',
} as const;
const samples = Object.values(stored);

/** A signing key as REGSHIFT_SIGNING_KEY. Replicas with another key do not read the entries of a Redis. */
async function ownKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}

function pageOf(table: string): string {
  return `# Pulls that Docker Hub counts

Docker Hub limits pulls, and counts each \`GET\` of a manifest as one; a \`HEAD\` is free (docs.docker.com, "Usage and limits", "Definition of a pull"). A pull of an index by tag is two such requests: the index and the image. A test counts them at a registry that behaves like Docker Hub, and writes this page.

A cell has the counted requests of one pull. Before the slash: straight at the registry (\`fails\`: this client does not read the stored form; the registry of the test is docker-registry, which converts for Docker up to 1.9, as Docker Hub no longer does). After the slash, through regshift: by a process with empty caches, by the same process again, and by a second process that shares a Redis with the first. Each of the three asks the registry for the right to the image by \`HEAD\` (\`REGSHIFT_TAG_TTL=0\`).

${table}
`;
}

/** The number of counted requests: straight, by an empty proxy, by the same one again, and by a second replica. */
type Counts = readonly [straight: string, fresh: number, again: number, replica: number];

describe.skipIf(requirePeers('docker-registry', 'redis-server'))('the pulls that Docker Hub counts', () => {
  let registry: DockerRegistry;
  let redis: RedisServer;
  const rows = new Map<string, Counts[]>();
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples });
    redis = await startRedisServer();
  });
  afterAll(async () => {
    await redis?.stop();
    await registry?.stop();
  });

  /** The counted requests of one pull. */
  async function straight(client: Simulator, repository: string): Promise<string> {
    const hub = await dockerHub().start(registry.url);
    const port = Number(new URL(hub.url).port);
    try {
      await client.pull({ port, repository, reference: 'latest' });
      return String(pullsSpent(hub).length);
    } catch {
      return 'fails';
    } finally {
      await hub.stop();
    }
  }

  async function throughReplicas(client: Simulator, repository: string): Promise<[number, number, number]> {
    const hub = await dockerHub().start(registry.url);
    // Each cell has entries of its own in the Redis.
    const variables = { REGSHIFT_TAG_TTL: '0', REGSHIFT_SIGNING_KEY: await ownKey() };
    const [one, other] = await Promise.all([
      startReplica(hub.url, redis.url, variables),
      startReplica(hub.url, redis.url, variables),
    ]);
    const counts: number[] = [];
    try {
      for (const { port } of [one, one, other]) {
        const before = pullsSpent(hub).length;
        await client.pull({ port, repository, reference: 'latest' });
        counts.push(pullsSpent(hub).length - before);
      }
    } finally {
      await Promise.all([one.stop(), other.stop()]);
      await hub.stop();
    }
    return counts as [number, number, number];
  }

  it.each(simulators.map((client) => [client.name, client] as const))(
    'by %s are one for each manifest, and none the second time',
    async (name, client) => {
      const counts: Counts[] = [];
      for (const repository of samples) {
        const direct = await straight(client, repository);
        counts.push([direct, ...(await throughReplicas(client, repository))]);
      }
      rows.set(name, counts);
      // An index and its image are two manifests.
      expect(counts.map(([, ...through]) => through)).toEqual(
        Object.keys(stored).map((form) => [/list|index/.test(form) ? 2 : 1, 0, 0]),
      );
    },
    60_000,
  );

  it('stand in docs/pull-limits.md', async () => {
    const head = ['client', ...Object.keys(stored)];
    const lines = [...rows].map(([name, counts]) => [
      name,
      ...counts.map(([direct, ...through]) => `${direct} / ${through.join(', ')}`),
    ]);
    const table = [head, head.map(() => '---'), ...lines].map((row) => `| ${row.join(' | ')} |`).join('\n');
    await expect(pageOf(table)).toMatchFileSnapshot('../../docs/pull-limits.md');
  });
});
