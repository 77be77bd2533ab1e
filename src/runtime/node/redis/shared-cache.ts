import type { SigningKey } from '../../../../converters/crypto/signing-key.ts';
import type { MemoryBudget } from '../../../cache/memory-budget.ts';
import type { Tier } from '../../../cache/tiered.ts';
import { fleetFingerprint } from '../../../config/fleet-fingerprint.ts';
import type { RedisAddress } from '../../../config/redis-address.ts';
import type { Settings } from '../../../config/settings.ts';
import type { Log } from '../../../observability/log.ts';
import type { FleetWrites } from '../../../registry/repository-versions.ts';
import { createEntryAuthenticator } from './authenticated-entry.ts';
import { createRedisCache, isShared } from './cache.ts';
import { openRedisConnection } from './connection.ts';
import { FleetCheck } from './fleet-check.ts';
import { createSharedWrites } from './shared-writes.ts';

export interface SharedCache {
  readonly tier: Tier;
  readonly writes: FleetWrites;
  close(): Promise<void>;
}

/** Opens the cache that all replicas of a fleet share, in Redis or Valkey. It opens even if Redis is down. */
export async function openSharedCache(
  address: RedisAddress,
  settings: Settings,
  signingKey: SigningKey,
  log: Log,
  memory: MemoryBudget,
): Promise<SharedCache> {
  let onBack = () => {};
  const connection = await openRedisConnection({ address, log, memory, onReconnect: () => onBack() });
  const cache = createRedisCache(connection, await createEntryAuthenticator(signingKey), memory);
  const replicas = new FleetCheck(connection, fleetFingerprint(settings, signingKey.id), log, memory);
  onBack = () => {
    cache.forget();
    void replicas.beat();
  };
  await replicas.join();
  const writes = createSharedWrites(connection);
  await writes.start();
  return {
    tier: { name: 'redis', cache, accepts: isShared, isAway: connection.isDown },
    writes,
    async close() {
      writes.stop();
      await replicas.leave();
      await connection.close();
    },
  };
}
