import { contentLength, discard } from '../../../upstream/body.ts';
import type { BlobId, BlobName } from '../blob-store.ts';
import type { PartedTarget, PartedUpload } from '../parted-write.ts';
import type { S3Client } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import { xmlEncoded, xmlText } from './xml.ts';

/** Where an upload puts its blob. */
export interface S3Keys {
  readonly blob: (blob: BlobId) => string;
  /** A new temporary key. */
  readonly incoming: () => string;
}

export interface CopyLimits {
  /** Bytes of the largest blob that is copied at once. */
  readonly mostCopied: number;
  /** Bytes of each part of a larger one. */
  readonly copiedPart: number;
}

/**
 * Uploads one blob. A blob without a known digest is uploaded to a temporary key, and the server copies it to its own.
 */
export function s3Target(
  client: S3Client,
  keys: S3Keys,
  expected: BlobName | undefined,
  limits: CopyLimits,
): PartedTarget {
  return {
    async put(blob, bytes) {
      const request = { method: 'PUT', key: keys.blob(blob), body: bytes, isLarge: true } as const;
      await discard(await client.send(request));
    },

    async begin() {
      if (expected) return multipart(client, keys.blob(expected));
      const key = keys.incoming();
      return throughTemporary(client, key, await multipart(client, key), { keys, limits });
    },
  };
}

function throughTemporary(
  client: S3Client,
  source: string,
  upload: PartedUpload,
  { keys, limits }: { readonly keys: S3Keys; readonly limits: CopyLimits },
): PartedUpload {
  const removeSource = async () => discard(await client.send({ method: 'DELETE', key: source }));
  let isComplete = false;
  return {
    ...upload,
    async complete(blob) {
      await upload.complete(blob);
      isComplete = true;
      await copy(client, { from: source, to: keys.blob(blob), size: blob.size }, limits);
      // A key that stays is removed by `prune`.
      await removeSource().catch(() => undefined);
    },
    abort: () => (isComplete ? removeSource() : upload.abort()),
  };
}

/** An upload in parts, as the server knows it. */
export interface S3Upload {
  readonly key: string;
  readonly uploadId: string;
}

/** An upload in parts to a key (Amazon S3 User Guide, "Uploading and copying objects using multipart upload"). */
async function multipart(client: S3Client, key: string): Promise<PartedUpload> {
  const upload = await beginMultipart(client, key);
  const tags: string[] = [];
  return {
    async part(number, body, signal) {
      const query = partQuery(upload, number);
      const response = await client.send({ method: 'PUT', key, query, body, signal, isLarge: true });
      tags[number - 1] = tagOf(response.headers.get('etag') ?? undefined);
      await discard(response);
    },
    complete: ({ size }) => completeMultipart(client, upload, { tags, size }),
    abort: () => abortMultipart(client, upload),
  };
}

function partQuery({ uploadId }: S3Upload, number: number) {
  return { partNumber: String(number), uploadId };
}

async function beginMultipart(client: S3Client, key: string): Promise<S3Upload> {
  const xml = await client.read({ method: 'POST', key, query: { uploads: '' } });
  const uploadId = xmlText(xml, 'UploadId');
  if (!uploadId) throw new S3Error('The bucket began an upload without an UploadId');
  return { key, uploadId };
}

async function completeMultipart(
  client: S3Client,
  { key, uploadId }: S3Upload,
  { tags, size }: { readonly tags: readonly string[]; readonly size: number },
): Promise<void> {
  const part = (tag: string, index: number) =>
    `<Part><PartNumber>${index + 1}</PartNumber><ETag>${xmlEncoded(tag)}</ETag></Part>`;
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${tags.map(part).join('')}</CompleteMultipartUpload>`;
  const headers = { 'content-type': 'application/xml' };
  try {
    await client.read({ method: 'POST', key, query: { uploadId }, headers, body, isLarge: true });
  } catch (error) {
    // An earlier attempt may have been complete, although its response was lost.
    if (!(error instanceof S3Error) || error.code !== 'NoSuchUpload') throw error;
    const found = await client.send({ method: 'HEAD', key }).catch(() => undefined);
    if (!found || contentLength(found) !== size) throw error;
  }
}

/** Removes the parts of an upload. It is no error if there is none. */
export async function abortMultipart(client: S3Client, { key, uploadId }: S3Upload): Promise<void> {
  try {
    await discard(await client.send({ method: 'DELETE', key, query: { uploadId } }));
  } catch (error) {
    if (!(error instanceof S3Error) || error.status !== 404) throw error;
  }
}

/** Has the server copy an object (Amazon S3 API Reference, "CopyObject" and "UploadPartCopy"). */
async function copy(
  client: S3Client,
  { from, to, size }: { readonly from: string; readonly to: string; readonly size: number },
  { mostCopied, copiedPart }: CopyLimits,
): Promise<void> {
  const headers = { 'x-amz-copy-source': client.sourceOf(from) };
  if (size <= mostCopied) {
    await client.read({ method: 'PUT', key: to, headers, isLarge: true });
    return;
  }
  const upload = await beginMultipart(client, to);
  try {
    const tags: string[] = [];
    for (let at = 0; at < size; at += copiedPart) {
      const range = `bytes=${at}-${Math.min(size, at + copiedPart) - 1}`;
      const query = partQuery(upload, tags.length + 1);
      const ranged = { ...headers, 'x-amz-copy-source-range': range };
      const xml = await client.read({ method: 'PUT', key: to, query, headers: ranged, isLarge: true });
      tags.push(tagOf(xmlText(xml, 'ETag')));
    }
    await completeMultipart(client, upload, { tags, size });
  } catch (error) {
    await abortMultipart(client, upload).catch(() => undefined);
    throw error;
  }
}

function tagOf(tag: string | undefined): string {
  if (tag === undefined || tag.length > 200) throw new S3Error('The bucket took a part and gave it no ETag');
  return tag;
}
