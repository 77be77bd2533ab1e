import type { SigningKey } from '../../../../converters/crypto/signing-key.ts';
import type { Tier } from '../../../cache/tiered.ts';
import { fleetFingerprint } from '../../../config/fleet-fingerprint.ts';
import type { Settings } from '../../../config/settings.ts';
import type { Log } from '../../../observability/log.ts';
import { createEntryAuthenticator } from './authenticated-entry.ts';
import { createRedisCache, isShared } from './cache.ts';
import { openRedisConnection } from './connection.ts';
import { FleetCheck } from './fleet-check.ts';

export interface SharedCache {
  readonly tier: Tier;
  close(): Promise<void>;
}

/** What the replicas of a fleet know together, in Redis or Valkey. Opens though Redis is away. */
export async function openSharedCache(
  url: URL,
  settings: Settings,
  signingKey: SigningKey,
  log: Log,
): Promise<SharedCache> {
  let onBack = () => {};
  const connection = await openRedisConnection({ url, log, onReconnect: () => onBack() });
  const cache = createRedisCache(connection, await createEntryAuthenticator(signingKey));
  const replicas = new FleetCheck(connection, fleetFingerprint(settings, signingKey.id), log);
  onBack = () => {
    cache.forget();
    void replicas.beat();
  };
  await replicas.join();
  return {
    tier: { name: 'redis', cache, accepts: isShared, isAway: connection.isDown },
    async close() {
      await replicas.leave();
      await connection.close();
    },
  };
}
