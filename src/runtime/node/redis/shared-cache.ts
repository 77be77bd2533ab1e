import type { SigningKey } from '../../../../converters/crypto/signing-key.ts';
import type { Tier } from '../../../cache/tiered.ts';
import { agreementOf } from '../../../config/fleet-fingerprint.ts';
import type { Settings } from '../../../config/settings.ts';
import type { Log } from '../../../observability/log.ts';
import { createEnvelope } from './authenticated-entry.ts';
import { createRedisCache, isShared } from './cache.ts';
import { openLink } from './connection.ts';
import { Replicas } from './fleet-check.ts';

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
  const link = await openLink({ url, log, onBack: () => onBack() });
  const cache = createRedisCache(link, await createEnvelope(signingKey));
  const replicas = new Replicas(link, agreementOf(settings, signingKey.id), log);
  onBack = () => {
    cache.forget();
    void replicas.beat();
  };
  await replicas.join();
  return {
    tier: { name: 'redis', cache, keeps: isShared, isAway: link.isAway },
    async close() {
      await replicas.leave();
      await link.close();
    },
  };
}
