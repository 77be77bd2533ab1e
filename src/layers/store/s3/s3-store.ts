import { RegistryError } from '../../../errors.ts';
import type { Log } from '../../../observability/log.ts';
import { partOf, wholeOf } from '../../../upstream/api/blob-part.ts';
import { resumedBody } from '../../../upstream/api/resumed-body.ts';
import { contentLength, discard } from '../../../upstream/body.ts';
import { type ByteSpan, sliceStream } from '../../byte-range.ts';
import type { BlobId, BlobName, BlobStore } from '../blob-store.ts';
import { createPartedWrite } from '../parted-write.ts';
import { blobFolder, blobKey, removeDamaged } from '../stored-blobs.ts';
import { createS3Client, type S3ClientOptions, type S3Request } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { BucketMaintenance } from './s3-list.ts';
import { type CopyLimits, s3Target } from './s3-upload.ts';

export interface S3StoreOptions extends S3ClientOptions {
  /** The folder of the store in the bucket, without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** As in `BlobStore`; each write has up to two parts in memory. */
  readonly mostWrites: number;
  readonly log: Log;
  readonly copyLimits?: CopyLimits;
  /** Makes `list` and `prune`. Absent on a runtime that calls neither, whose bundle is smaller without them. */
  readonly maintenance?: BucketMaintenance | undefined;
}

const MiB = 2 ** 20;

/**
 * Amazon S3 takes 10,000 parts of at least 5 MiB, and OpenStack Swift 1,000 by default (swift, s3api.py,
 * `max_upload_part_num`).
 */
const smallestPart = 8 * MiB;
const largestPart = 64 * MiB;
const usualParts = 1_000;

/** Parts of an upload of unknown size grow after this many. */
const smallParts = 5_000;
const mostParts = 10_000;

/** Bytes of the largest blob that fits into an upload of unknown size: 351 GiB. */
const mostBytes = smallParts * smallestPart + (mostParts - smallParts) * largestPart;

/** CopyObject copies up to 5 GB (Amazon S3 API Reference). */
const usualCopyLimits: CopyLimits = { mostCopied: 5_000_000_000, copiedPart: 512 * MiB };

/**
 * A store in a bucket with the API of Amazon S3. Uploads show nothing before they are complete, so any number of
 * processes may use one bucket. It makes no room by itself: the rules of the bucket do, or `prune`.
 */
export function createS3Store(options: S3StoreOptions): BlobStore {
  const { prefix, mostWrites, log, wallClock, copyLimits = usualCopyLimits } = options;
  const client = createS3Client(options);
  const root = prefix === '' ? '' : `${prefix}/`;
  const folders = { blobs: `${root}${blobFolder}`, incoming: `${root}incoming/` };
  const keys = {
    blob: (blob: BlobId) => `${folders.blobs}${blobKey(blob)}`,
    incoming: () => `${folders.incoming}${crypto.randomUUID()}`,
  };

  async function head(blob: BlobId): Promise<number | undefined> {
    const response = await client.send({ method: 'HEAD', key: keys.blob(blob) }).catch(undefinedIfAbsent);
    return response && lengthOf(response);
  }

  async function remove(blob: BlobId): Promise<void> {
    const response = await client.send({ method: 'DELETE', key: keys.blob(blob) }).catch(undefinedIfAbsent);
    if (response) await discard(response);
  }

  async function drop(blob: BlobName, found: number): Promise<undefined> {
    const { digest, size } = blob;
    await removeDamaged(log, { digest }, { found: `${found} bytes`, expected: `${size} bytes` }, () =>
      remove(blob),
    );
    return undefined;
  }

  /** The start of a range can be beyond the end of a damaged blob. */
  async function undefinedIfDamaged(error: unknown, blob: BlobName): Promise<undefined> {
    if (!(error instanceof S3Error) || error.status !== 416) return undefinedIfAbsent(error);
    const found = await head(blob);
    if (found === blob.size) throw error;
    return found === undefined ? undefined : drop(blob, found);
  }

  async function read(blob: BlobName, span?: ByteSpan): Promise<ReadableStream<Uint8Array> | undefined> {
    const { start, end } = span ?? { start: 0, end: blob.size - 1 };
    const request = (first: number, signal?: AbortSignal): S3Request => {
      const headers = span || first > 0 ? { range: `bytes=${first}-${end}` } : {};
      return { method: 'GET', key: keys.blob(blob), headers, signal };
    };
    const response = await client
      .send(request(start))
      .catch((error: unknown) => undefinedIfDamaged(error, blob));
    if (response === undefined) return undefined;
    const part = partOf(response) ?? wholeOf(response);
    const size = response.status === 206 ? part.size : contentLength(response);
    if (size !== blob.size) {
      await discard(response);
      if (size === undefined) throw new S3Error('The bucket sent a stored layer without its length');
      return drop(blob, size);
    }
    const what = `stored layer ${blob.digest}`;
    const stream = resumedBody(part, {
      request: (first, signal) => client.sendOnce(request(first, signal)),
      errorOf: async (failed) => {
        const { message } = await client.errorOf(failed, request(start));
        return new RegistryError('UPSTREAM_ANSWER', message);
      },
      end: end + 1,
      what,
      signal: undefined,
    });
    return part.from === start ? stream : sliceStream(stream, { start, end }, what);
  }

  return {
    kind: 's3',
    namesAtEnd: true,
    readsBack: false,
    mostBytes,
    mostWrites,
    head,
    read,

    async write(expected) {
      const known = expected && partOfSize(expected.size);
      const partBytes = (number: number) => known ?? (number <= smallParts ? smallestPart : largestPart);
      const target = s3Target(client, keys, expected, copyLimits);
      return createPartedWrite({ target, expected, partBytes, partsInMemory: 2, mostBytes });
    },

    delete: remove,

    ...options.maintenance?.(client, folders, { wallClock, remove }),
  };
}

/**
 * Bytes of each part of a blob whose size is known, in whole MiB. Cloudflare R2 wants parts of one size (R2 documentation,
 * "Multipart upload").
 */
function partOfSize(size: number): number {
  const even = Math.ceil(size / usualParts / MiB) * MiB;
  return Math.min(largestPart, Math.max(smallestPart, even));
}

function lengthOf(response: Response): number {
  const size = contentLength(response);
  if (size === undefined) throw new S3Error('The bucket did not tell the length of a stored layer');
  return size;
}

/** A bucket that does not exist has no blob either, and is an error. */
function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof S3Error && error.status === 404 && error.code !== 'NoSuchBucket') return undefined;
  throw error;
}
