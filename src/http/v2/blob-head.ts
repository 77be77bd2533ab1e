import type { Digest } from '../../../converters/digest.ts';
import type { ByteSpan } from '../../layers/byte-range.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { noticesOf, pickHeaders } from '../../upstream/error-response.ts';
import { cacheControl } from '../cache-control.ts';
import { byteRange, conditionalRange, type Validators } from '../range.ts';
import { apiVersion, matchesEtag } from '../responses.ts';

/** The headers of a whole blob, without its length. */
export interface BlobHeaders extends Validators {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Headers of every response with a blob that regshift makes.
 * @param isPublic true if upstream serves the source of the bytes without a login.
 */
export function derivedBlobHeaders(digest: Digest, isPublic: boolean): BlobHeaders {
  const etag = `"${digest}"`;
  const headers = {
    ...apiVersion,
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl(isPublic),
  };
  return { headers, etag, lastModified: null };
}

/**
 * Headers of every response with a blob that upstream stores, whether its bytes come from upstream or from the proxy's
 * store.
 * @param stored the headers of upstream's response, and whether upstream gives the blob to anyone.
 */
export function storedBlobHeaders(
  digest: Digest,
  stored: { readonly headers: Headers; readonly public: boolean },
): BlobHeaders {
  const headers = {
    ...apiVersion,
    'Content-Type': 'application/octet-stream',
    ...noticesOf(stored),
    ...pickHeaders(stored, ['accept-ranges', 'etag', 'last-modified']),
    'Cache-Control': cacheControl(stored.public, stored.headers.get('cache-control')),
    'Docker-Content-Digest': digest,
  };
  return { headers, etag: stored.headers.get('etag'), lastModified: stored.headers.get('last-modified') };
}

/** Request headers about parts of a blob, and conditions. */
export const partHeaders = ['range', 'if-range', 'if-none-match', 'if-modified-since'];

/** The same request for the whole blob, without conditions. */
export function wholeRequest(request: ClientRequest): ClientRequest {
  if (!asksForPart(request)) return request;
  const headers = new Headers(request.headers);
  for (const name of partHeaders) headers.delete(name);
  return { ...request, headers };
}

export function asksForPart({ headers }: ClientRequest): boolean {
  return partHeaders.some((name) => headers.has(name));
}

/** A response to a blob request without its body. */
export interface BlobHead {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Record<string, string>;
  /** The bytes of the body; undefined for all. */
  readonly span: ByteSpan | undefined;
  readonly hasBody: boolean;
}

/**
 * The response to a blob request, from the facts that regshift has about the blob. A HEAD has the status and headers of
 * a GET, also for a range, as docker-registry (Go, net/http/fs.go, serveContent) and nginx answer it.
 */
export function blobHead(request: ClientRequest, size: number, blob: BlobHeaders): BlobHead {
  const { headers, etag } = blob;
  const none = { span: undefined, hasBody: false };
  if (matchesEtag(request.headers.get('if-none-match'), etag)) return { status: 304, headers, ...none };
  const span = byteRange(conditionalRange(request, blob), size);
  if (span === 'unsatisfiable') {
    const length = { 'Content-Length': '0', 'Content-Range': `bytes */${size}` };
    return { status: 416, headers: { ...headers, ...length }, ...none };
  }
  const hasBody = request.method !== 'HEAD';
  if (span === undefined) {
    return { status: 200, headers: { ...headers, 'Content-Length': String(size) }, span, hasBody };
  }
  const { start, end } = span;
  const length = {
    'Content-Length': String(end - start + 1),
    'Content-Range': `bytes ${start}-${end}/${size}`,
  };
  return { status: 206, headers: { ...headers, ...length }, span, hasBody };
}
