import { type Digest, digestAlgorithm, digestHex, isDigest, sha256Hex } from '../../../converters/digest.ts';
import type { Log } from '../../observability/log.ts';
import type { BlobId, Pruned, StoredBlob } from './blob-store.ts';

/** The folder of the blobs in a bucket. All stores of buckets use the same keys, so two may share one. */
export const blobFolder = 'blobs/';

/** The name of a registry in keys and names of files. @param registry `UpstreamClient.id`. */
export function registryTag(registry: string): string {
  return sha256Hex(registry).slice(0, 32);
}

/** The name of a blob in its folder: the digest, and the registry behind a dot. */
export function blobFile({ digest, registry }: BlobId): string {
  return registry === undefined ? digestHex(digest) : `${digestHex(digest)}.${registry}`;
}

/** The key of a blob below `blobFolder`. */
export function blobKey(blob: BlobId): string {
  return `${digestAlgorithm(blob.digest)}/${blobFile(blob)}`;
}

/** The blob of a key below `blobFolder`; undefined for a key of something else. */
export function blobOfKey(key: string): BlobId | undefined {
  const [, digest, registry] = /^(.+?)(?:\.([0-9a-f]{32}))?$/.exec(key.replace('/', ':')) ?? [];
  return isDigest(digest) ? { digest, registry } : undefined;
}

/**
 * Removes a blob with other bytes than its caller expects, and tells of it. A store that refuses this, like a read-only
 * file system, can still be read: the blob counts as missing.
 * @param facts its digest or path.
 * @param found in words of a log, like `7 bytes`; likewise `expected`.
 */
export async function removeDamaged(
  log: Log,
  facts: { readonly digest: Digest } | { readonly path: string },
  { found, expected }: { readonly found: string; readonly expected: string },
  remove: () => Promise<unknown>,
): Promise<void> {
  const reason = `it has ${found}, and not ${expected}`;
  try {
    await remove();
    log('warn', 'a stored layer is damaged and was removed', { ...facts, reason });
  } catch (error) {
    log('warn', 'a stored layer is damaged and cannot be removed', {
      ...facts,
      reason,
      error: String(error),
    });
  }
}

/**
 * Removes the blobs that were used longest ago, until at least `excess` bytes are free.
 * @param remove returns false for a blob that stays.
 * @returns the blobs that were not tried, those used longest ago first, as `newer`.
 */
export async function removeOldest<Blob extends StoredBlob>(
  blobs: readonly Blob[],
  excess: number,
  remove: (blob: Blob) => Promise<unknown>,
): Promise<{ readonly pruned: Pruned; readonly newer: readonly Blob[] }> {
  const pruned = { blobs: 0, bytes: 0 };
  const byUse = blobs.toSorted((one, other) => (one.usedAt ?? 0) - (other.usedAt ?? 0));
  let tried = 0;
  for (const blob of byUse) {
    if (pruned.bytes >= excess) break;
    tried += 1;
    if ((await remove(blob)) === false) continue;
    pruned.blobs += 1;
    pruned.bytes += blob.size;
  }
  return { pruned, newer: byUse.slice(tried) };
}
