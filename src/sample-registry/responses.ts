import type { Digest } from '../../converters/digest.ts';
import { utf8 } from './bytes.ts';

const version = { 'Docker-Distribution-Api-Version': 'registry/2.0' };

/** Content with its type and digest. */
interface Served {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** The response with a manifest or a blob, with the headers that the distribution spec and RFC 9110 require. */
export function contentResponse(served: Served, request: Request, ranges: 'none' | 'bytes'): Response {
  const etag = `"${served.digest}"`;
  const headers = {
    ...version,
    'Content-Type': served.mediaType,
    'Docker-Content-Digest': served.digest,
    ETag: etag,
    ...(ranges === 'bytes' ? { 'Accept-Ranges': 'bytes' } : {}),
  };
  const known = request.headers.get('If-None-Match');
  if (known !== null && matches(known, etag)) return new Response(null, { status: 304, headers });

  const wanted = ranges === 'bytes' && request.method === 'GET' ? request.headers.get('Range') : null;
  const condition = request.headers.get('If-Range');
  const total = served.bytes.length;
  const range = sampleByteRange(condition === null || condition === etag ? wanted : null, total);
  if (range === 'unsatisfiable') {
    const refusal = sampleErrorResponse(
      416,
      'SIZE_INVALID',
      `The blob has ${total} bytes, and the range is beyond them`,
    );
    refusal.headers.set('Content-Range', `bytes */${total}`);
    return refusal;
  }
  if (range === 'whole') return bodyResponse(200, served.bytes, headers);
  const part = served.bytes.slice(range.first, range.last + 1);
  const contentRange = `bytes ${range.first}-${range.last}/${total}`;
  return bodyResponse(206, part, { ...headers, 'Content-Range': contentRange });
}

function matches(ifNoneMatch: string, etag: string): boolean {
  const candidates = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return candidates.includes('*') || candidates.includes(etag);
}

export function jsonResponse(value: unknown, headers: Record<string, string> = {}): Response {
  const body = utf8(JSON.stringify(value));
  return bodyResponse(200, body, { ...version, 'Content-Type': 'application/json', ...headers });
}

/** A response with the error body of distribution-spec 1.1, "Error Codes". */
export function sampleErrorResponse(
  status: number,
  code: string,
  message: string,
  detail: unknown = {},
): Response {
  const body = utf8(JSON.stringify({ errors: [{ code, message, detail }] }));
  return bodyResponse(status, body, { ...version, 'Content-Type': 'application/json' });
}

function bodyResponse(status: number, body: Uint8Array, headers: Record<string, string>): Response {
  return new Response(body, { status, headers: { ...headers, 'Content-Length': String(body.length) } });
}

/** The response to HEAD: the headers of the response to GET, with its length, and no body. */
export function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}

/** The first and the last byte of a range, both included. */
interface SampleByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Parses a Range header for content of `total` bytes. The whole content answers a range that a server may ignore
 * (RFC 9110, 14.2): another unit, several ranges, or a malformed range.
 */
export function sampleByteRange(
  header: string | null,
  total: number,
): SampleByteRange | 'whole' | 'unsatisfiable' {
  const found = header === null ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, from = '', to = ''] = found ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const suffix = Math.min(Number(to), total);
    return suffix === 0 ? 'unsatisfiable' : { first: total - suffix, last: total - 1 };
  }
  const first = Number(from);
  const last = to === '' ? total - 1 : Math.min(Number(to), total - 1);
  if (to !== '' && Number(to) < first) return 'whole';
  return first >= total ? 'unsatisfiable' : { first, last };
}
