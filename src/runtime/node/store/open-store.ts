import type { AwsKeySettings } from '../../../compose/cloud-login.ts';
import type { Settings } from '../../../config/settings.ts';
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
