import type { AwsKeySettings } from '../../../compose/cloud-login.ts';
import { valueWithin } from '../../../concurrency/deadline.ts';
import type { Settings } from '../../../config/settings.ts';
import { RegistryError } from '../../../errors.ts';
import type { BlobStore } from '../../../layers/store/blob-store.ts';
import type { Log } from '../../../observability/log.ts';
import type { NodePlatform } from '../platform.ts';
import type { FileOperations } from './file-operations.ts';
import { createFolderStore } from './folder-store.ts';

/**
 * Opens the store of REGSHIFT_STORE; undefined without one. Does not touch it.
 * @param operations of `checkSettings`, which has looked at the folder.
 */
export async function openStore(
  settings: Pick<Settings, 'REGSHIFT_STORE' | 'REGSHIFT_STORE_BYTES'> & AwsKeySettings,
  platform: Pick<
    NodePlatform,
    'clock' | 'wallClock' | 'log' | 'metrics' | 'fetch' | 'machine' | 'background' | 'rotating'
  >,
  operations?: FileOperations,
): Promise<BlobStore | undefined> {
  const { REGSHIFT_STORE: address, REGSHIFT_STORE_BYTES: bytes } = settings;
  if (address === undefined) return undefined;
  if (address.kind === 's3') {
    const { openBucket } = await import('./open-bucket.ts');
    return openBucket(address, settings, platform);
  }
  return createFolderStore({ ...platform, path: address.path, bytes, operations });
}

/** Time for a look at the folder before the start, in milliseconds. */
const lookMs = 1_000;

/**
 * Refuses a folder that cannot be one, whatever happens later. A folder that does not answer may come back.
 * @throws RegistryError MISCONFIGURED.
 */
export async function refuseWrongPlace(store: BlobStore): Promise<void> {
  if (store.look === undefined) return;
  const place = await valueWithin(lookMs, store.look()).catch(() => undefined);
  if (typeof place === 'object') throw new RegistryError('MISCONFIGURED', `REGSHIFT_STORE ${place.problem}.`);
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
