import { digestAlgorithm, digestHex } from '../../../converters/digest.ts';
import type { BlobId, BlobStore } from '../../layers/store/blob-store.ts';
import { createPartedWrite, type PartedTarget } from '../../layers/store/parted-write.ts';
import { blobFolder, blobKey, blobOfKey, removeDamaged } from '../../layers/store/stored-blobs.ts';
import type { Log } from '../../observability/log.ts';

const MiB = 2 ** 20;

/**
 * Bytes of each part but the last: R2 wants parts of one size, of 5 MiB at least (Cloudflare R2, "Multipart upload
 * objects"). An isolate has 128 MiB.
 */
const partBytes = 8 * MiB;

/** R2 takes 10,000 parts. */
const mostBytes = 10_000 * partBytes;

/** Each has a part in memory. */
const mostWrites = 2;

/**
 * A store in a bucket of R2. R2 has no copy of an object under another key, so a write needs the digest of its blob. Rules
 * of the bucket remove old blobs and unfinished uploads.
 */
export function createR2Store(bucket: R2Bucket, log: Log): BlobStore {
  const keyOf = (blob: BlobId) => `${blobFolder}${blobKey(blob)}`;

  return {
    kind: 'r2',
    namesAtEnd: false,
    readsBack: false,
    mostBytes,
    mostWrites,

    async head(blob) {
      return (await bucket.head(keyOf(blob)))?.size;
    },

    async read(blob, span) {
      const { digest, size } = blob;
      const key = keyOf(blob);
      const range = span && { offset: span.start, length: span.end - span.start + 1 };
      const found = await bucket.get(key, range ? { range } : {}).catch(async (error: unknown) => {
        // A range beyond the end of a damaged object is an error.
        const object = await bucket.head(key);
        if (object?.size === size) throw error;
        return object;
      });
      if (found === null) return undefined;
      if (found.size === size && 'body' in found) return found.body as ReadableStream<Uint8Array>;
      if ('body' in found) await found.body.cancel();
      await removeDamaged(log, { digest }, { found: `${found.size} bytes`, expected: `${size} bytes` }, () =>
        bucket.delete(key),
      );
      return undefined;
    },

    async write(expected) {
      if (expected === undefined) throw new Error('R2 needs the digest of a layer before its first byte');
      const target = targetOf(bucket, keyOf(expected));
      return createPartedWrite({ target, expected, partBytes: () => partBytes, partsInMemory: 1, mostBytes });
    },

    async delete(blob) {
      await bucket.delete(keyOf(blob));
    },

    async *list() {
      let cursor: string | undefined;
      do {
        const page = await bucket.list({ prefix: blobFolder, ...(cursor === undefined ? {} : { cursor }) });
        for (const { key, size, uploaded } of page.objects) {
          const blob = blobOfKey(key.slice(blobFolder.length));
          if (blob) yield { ...blob, size, usedAt: uploaded.getTime() };
        }
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
    },
  };
}

function targetOf(bucket: R2Bucket, key: string): PartedTarget {
  return {
    async put({ digest }, bytes) {
      // R2 compares the hash with the bytes that arrive.
      await bucket.put(key, bytes, digestAlgorithm(digest) === 'sha256' ? { sha256: digestHex(digest) } : {});
    },
    async begin() {
      const upload = await bucket.createMultipartUpload(key);
      const parts: R2UploadedPart[] = [];
      return {
        async part(number, bytes) {
          parts[number - 1] = await upload.uploadPart(number, bytes);
        },
        async complete() {
          await upload.complete(parts);
        },
        abort: () => upload.abort(),
      };
    },
  };
}
