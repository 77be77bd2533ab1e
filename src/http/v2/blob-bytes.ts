import type { Digest } from '../../../converters/digest.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { cacheControl } from '../cache-control.ts';
import { byteRange } from '../range.ts';
import { apiVersion, bytesResponse, matchesEtag } from '../responses.ts';

/**
 * Headers of every response to a blob request.
 * @param isPublic true if upstream serves the source of the bytes without a login.
 */
export function blobHeaders(digest: Digest, isPublic: boolean): Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl(isPublic),
  };
}

/** Answers a blob request from bytes in memory: the empty layer, or a derived config. */
export function blobResponse(
  request: ClientRequest,
  digest: Digest,
  bytes: Uint8Array,
  isPublic: boolean,
): Response {
  const headers = blobHeaders(digest, isPublic);
  const head = request.method === 'HEAD';
  if (matchesEtag(request.headers.get('if-none-match'), digest)) {
    return new Response(null, { status: 304, headers: { ...apiVersion, ...headers } });
  }
  const range = head ? undefined : byteRange(rangeFor(request, digest), bytes.length);
  if (range === undefined) return bytesResponse(bytes, headers, head);
  if (range === 'unsatisfiable') return unsatisfiable(headers, bytes.length);
  const contentRange = `bytes ${range.start}-${range.end}/${bytes.length}`;
  const part = bytes.subarray(range.start, range.end + 1);
  return bytesResponse(part, { ...headers, 'Content-Range': contentRange }, false, 206);
}

export function unsatisfiable(headers: Record<string, string>, length: number): Response {
  const all = { ...apiVersion, ...headers, 'Content-Range': `bytes */${length}` };
  return new Response(null, { status: 416, headers: all });
}

/** The `Range` of a request, unless `If-Range` names another content (RFC 9110, section 13.1.5). */
export function rangeFor({ headers }: ClientRequest, digest: Digest): string | null {
  const condition = headers.get('if-range');
  return condition === null || condition === `"${digest}"` ? headers.get('range') : null;
}
