import type { RuntimePlatform } from '../../../compose/platform.ts';
import type { Settings } from '../../../config/settings.ts';
import type { StoreAddress } from '../../../config/store.ts';
import type { BlobStore } from '../../../layers/store/blob-store.ts';
import { createFolderStore } from './folder-store.ts';

/** Opens the store of REGSHIFT_STORE. A store that does not work is logged, and is no reason not to start. */
export function openStore(
  address: StoreAddress,
  { REGSHIFT_STORE_BYTES: bytes }: Pick<Settings, 'REGSHIFT_STORE_BYTES'>,
  platform: Pick<RuntimePlatform, 'wallClock' | 'log' | 'metrics' | 'fetch'>,
): BlobStore {
  if (address.kind === 's3') throw new Error('not yet');
  const store = createFolderStore({ ...platform, path: address.path, bytes });
  // An earlier process may have left unfinished files.
  store.prune?.(bytes).catch((error: unknown) => {
    platform.log('warn', 'the folder of REGSHIFT_STORE cannot be used; layers are not stored', {
      path: address.path,
      reason: String(error),
    });
  });
  return store;
}
