import type { WallClock } from '../../../clock.ts';
import { discard } from '../../../upstream/body.ts';
import type { BlobId, Pruned, StoredBlob } from '../blob-store.ts';
import { blobOfKey, removeOldest } from '../stored-blobs.ts';
import type { S3Client } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import { abortMultipart, type S3Upload } from './s3-upload.ts';
import { xmlElements, xmlText } from './xml.ts';

/** An object of a list. */
interface S3Object {
  readonly key: string;
  readonly size: number;
  /** In milliseconds since the epoch; undefined for a date that cannot be read. */
  readonly modified: number | undefined;
}

interface BegunUpload extends S3Upload {
  readonly begun: number | undefined;
}

/** Folders of the bucket, each with a slash at its end. */
export interface S3Folders {
  readonly blobs: string;
  readonly incoming: string;
}

export interface MaintenanceOptions {
  readonly wallClock: WallClock;
  readonly remove: (blob: BlobId) => Promise<void>;
}

/** The largest blob takes less than a day on any line on which it is worth storing. */
const abandonedMs = 86_400_000;

/** The objects whose keys begin with a prefix (Amazon S3 API Reference, "ListObjectsV2"). */
async function* listObjects(client: S3Client, prefix: string): AsyncGenerator<S3Object> {
  const first = { 'list-type': '2', prefix };
  const nextOf = (page: string) => {
    const token = xmlText(page, 'NextContinuationToken');
    return token === undefined ? undefined : { 'continuation-token': token };
  };
  for await (const page of pages(client, first, nextOf)) {
    for (const object of xmlElements(page, 'Contents')) {
      const size = Number(xmlText(object, 'Size') ?? Number.NaN);
      const key = xmlText(object, 'Key') ?? '';
      if (Number.isSafeInteger(size)) yield { key, size, modified: dateIn(object, 'LastModified') };
    }
  }
}

/** The uploads in parts that are neither complete nor aborted ("ListMultipartUploads"). */
async function* listUploads(client: S3Client, prefix: string): AsyncGenerator<BegunUpload> {
  const nextOf = (page: string) => {
    const [key, upload] = [xmlText(page, 'NextKeyMarker'), xmlText(page, 'NextUploadIdMarker')];
    return key ? { 'key-marker': key, ...(upload ? { 'upload-id-marker': upload } : {}) } : undefined;
  };
  for await (const page of pages(client, { uploads: '', prefix }, nextOf)) {
    for (const upload of xmlElements(page, 'Upload')) {
      const [key = '', uploadId = ''] = [xmlText(upload, 'Key'), xmlText(upload, 'UploadId')];
      // MinIO takes the prefix for a whole key (cmd/erasure-multipart.go, `ListMultipartUploads`), others may ignore it.
      if (key.startsWith(prefix)) yield { key, uploadId, begun: dateIn(upload, 'Initiated') };
    }
  }
}

async function* pages(
  client: S3Client,
  first: Readonly<Record<string, string>>,
  nextOf: (page: string) => Readonly<Record<string, string>> | undefined,
): AsyncGenerator<string> {
  let next: Readonly<Record<string, string>> | undefined = {};
  while (next !== undefined) {
    const page = await client.read({ method: 'GET', query: { ...first, ...next } });
    // The page of a gateway would look like an empty list.
    if (!/<List\w+Result[\s>]/.test(page)) {
      throw new S3Error(
        'The bucket sent no list of objects. Check that endpoint in REGSHIFT_STORE is an S3 server, and the proxies in front of it.',
      );
    }
    yield page;
    const following = xmlText(page, 'IsTruncated') === 'true' ? nextOf(page) : undefined;
    if (following && JSON.stringify(following) === JSON.stringify(next)) {
      throw new S3Error('The bucket sends the same page of a list again and again');
    }
    next = following;
  }
}

/** The part of a store in a bucket that looks after its blobs. */
export function bucketMaintenance(
  client: S3Client,
  folders: S3Folders,
  { wallClock, remove }: MaintenanceOptions,
) {
  async function* list(): AsyncGenerator<StoredBlob> {
    for await (const { key, size, modified } of listObjects(client, folders.blobs)) {
      const blob = blobOfKey(key.slice(folders.blobs.length));
      if (blob) yield { ...blob, size, usedAt: modified };
    }
  }

  return {
    list,

    async prune(bytes = Number.POSITIVE_INFINITY): Promise<Pruned> {
      const now = wallClock().getTime();
      const isAbandoned = (time: number | undefined) => time !== undefined && now - time > abandonedMs;
      for await (const { key, modified } of listObjects(client, folders.incoming)) {
        if (isAbandoned(modified)) await discard(await client.send({ method: 'DELETE', key }));
      }
      // The rest of the bucket belongs to others.
      for (const folder of [folders.incoming, folders.blobs]) {
        await abortUploads(client, folder, isAbandoned).catch(ifUnknownToServer);
      }
      if (bytes === Number.POSITIVE_INFINITY) return { blobs: 0, bytes: 0 };
      const all: StoredBlob[] = [];
      for await (const blob of list()) all.push(blob);
      const total = all.reduce((sum, { size }) => sum + size, 0);
      return (await removeOldest(all, total - bytes, remove)).pruned;
    },
  };
}

export type BucketMaintenance = typeof bucketMaintenance;

async function abortUploads(
  client: S3Client,
  folder: string,
  isAbandoned: (time: number | undefined) => boolean,
): Promise<void> {
  for await (const upload of listUploads(client, folder)) {
    if (isAbandoned(upload.begun)) await abortMultipart(client, upload);
  }
}

/** Some servers, like s3rver 3.7, take uploads in parts and list none. @throws any other error. */
function ifUnknownToServer(error: unknown): void {
  if (!(error instanceof S3Error) || error.status !== 501) throw error;
}

function dateIn(xml: string, name: string): number | undefined {
  const time = Date.parse(xmlText(xml, name) ?? '');
  return Number.isNaN(time) ? undefined : time;
}
