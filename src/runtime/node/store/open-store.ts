import type { RuntimePlatform } from '../../../compose/platform.ts';
import type { Settings } from '../../../config/settings.ts';
import type { BlobStore } from '../../../layers/store/blob-store.ts';
import type { Log } from '../../../observability/log.ts';
import { createFolderStore } from './folder-store.ts';

/** Opens the store of REGSHIFT_STORE; undefined without one. Does not touch it. */
export function openStore(
  settings: Pick<Settings, 'REGSHIFT_STORE' | 'REGSHIFT_STORE_BYTES'>,
  platform: Pick<RuntimePlatform, 'clock' | 'wallClock' | 'log' | 'metrics' | 'fetch'>,
): BlobStore | undefined {
  const { REGSHIFT_STORE: address, REGSHIFT_STORE_BYTES: bytes } = settings;
  if (address === undefined) return undefined;
  if (address.kind === 's3') throw new Error('not yet');
  return createFolderStore({ ...platform, path: address.path, bytes });
}

/**
 * Removes what earlier processes left in a store, and measures it, in the background. A store that does not work is
 * logged, and is no reason not to start.
 */
export function cleanStore(store: BlobStore, log: Log): void {
  store.prune?.().catch((error: unknown) => {
    log('warn', 'the store of REGSHIFT_STORE cannot be used; layers come from the registry', {
      store: store.kind,
      reason: String(error),
    });
  });
}
