import type { RuntimePlatform } from '../../../compose/platform.ts';
import { valueWithin } from '../../../concurrency/deadline.ts';
import type { Settings } from '../../../config/settings.ts';
import { RegistryError } from '../../../errors.ts';
import type { BlobStore } from '../../../layers/store/blob-store.ts';
import type { Log } from '../../../observability/log.ts';
import type { FileOperations } from './file-operations.ts';
import { createFolderStore } from './folder-store.ts';

/** Writes into a bucket at the same time; most of them have 16 MiB in memory. */
const bucketWrites = 6;

/**
 * Opens the store of REGSHIFT_STORE; undefined without one. Does not touch it.
 * @param operations of `checkSettings`, which has looked at the folder.
 */
export async function openStore(
  settings: Pick<
    Settings,
    | 'REGSHIFT_STORE'
    | 'REGSHIFT_STORE_BYTES'
    | 'AWS_ACCESS_KEY_ID'
    | 'AWS_SECRET_ACCESS_KEY'
    | 'AWS_SESSION_TOKEN'
  >,
  platform: Pick<
    RuntimePlatform,
    'clock' | 'wallClock' | 'log' | 'metrics' | 'fetch' | 'machine' | 'background' | 'rotating'
  >,
  operations?: FileOperations,
): Promise<BlobStore | undefined> {
  const { REGSHIFT_STORE: address, REGSHIFT_STORE_BYTES: bytes } = settings;
  if (address === undefined) return undefined;
  if (address.kind === 's3') {
    const { createBucketStore } = await import('../../../compose/bucket-store.ts');
    const { pruneBucket } = await import('../../../layers/store/s3/s3-list.ts');
    return createBucketStore(address, settings, platform, bucketWrites, pruneBucket);
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
