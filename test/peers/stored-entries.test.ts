import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { expectStoredDigests } from '../support/expect-stored-digests.ts';
import { goldenBytes } from '../support/golden.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type RedisServer, startRedisServer, writeToRedis } from '../support/redis-server.ts';
import { type SampleServer, startSampleServer } from '../support/sample-server.ts';
import { entriesOf, type Kept, parseStoredEntries } from '../support/stored-entries.ts';

const stored = parseStoredEntries(goldenBytes('stored-by-0.1/redis.json'));

describe.skipIf(requirePeers('redis-server'))(`a Redis that version ${stored.version} filled`, () => {
  let upstream: SampleServer;
  let redis: RedisServer;
  let proxy: RunningProxy;
  beforeAll(async () => {
    const { hostname, port } = new URL(stored.upstream);
    upstream = await startSampleServer(Number(port), hostname);
  });
  afterEach(async () => {
    await proxy?.stop();
    await redis?.stop();
  });
  afterAll(() => upstream?.stop());

  const cases: readonly Kept[] = ['all', 'without documents'];
  it.each(cases)('leads to every digest that was served, without a search: %s', async (kept) => {
    redis = await startRedisServer();
    await writeToRedis(redis.url, entriesOf(stored, kept));
    proxy = await startProxy(stored.upstream, {
      REGSHIFT_REDIS_URL: redis.url,
      REGSHIFT_SIGNING_KEY: stored.signingKey,
    });
    const ask = (path: string, headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${proxy.port}${path}`, { headers });
    await expectStoredDigests(stored, kept, ask, upstream.requests);
  });
});
