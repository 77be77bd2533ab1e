import type { Digest } from '../../converters/digest.ts';
import { utf8 } from './bytes.ts';
import { sampleByteRange } from './range.ts';

const version = { 'Docker-Distribution-Api-Version': 'registry/2.0' };

interface Served {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** A manifest or a blob, with the headers that the distribution spec and RFC 9110 want of it. */
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
    const problem = sampleErrorResponse(
      416,
      'SIZE_INVALID',
      `The blob has ${total} bytes, and the range is beyond them`,
    );
    problem.headers.set('Content-Range', `bytes */${total}`);
    return problem;
  }
  if (range === 'whole') return bodyAnswer(200, served.bytes, headers);
  const part = served.bytes.slice(range.first, range.last + 1);
  const contentRange = `bytes ${range.first}-${range.last}/${total}`;
  return bodyAnswer(206, part, { ...headers, 'Content-Range': contentRange });
}

function matches(ifNoneMatch: string, etag: string): boolean {
  const candidates = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return candidates.includes('*') || candidates.includes(etag);
}

export function jsonResponse(value: unknown, headers: Record<string, string> = {}): Response {
  const body = utf8(JSON.stringify(value));
  return bodyAnswer(200, body, { ...version, 'Content-Type': 'application/json', ...headers });
}

/** The error body of distribution-spec 1.1, "Error Codes". */
export function sampleErrorResponse(
  status: number,
  code: string,
  message: string,
  detail: unknown = {},
): Response {
  const body = utf8(JSON.stringify({ errors: [{ code, message, detail }] }));
  return bodyAnswer(status, body, { ...version, 'Content-Type': 'application/json' });
}

function bodyAnswer(status: number, body: Uint8Array, headers: Record<string, string>): Response {
  return new Response(body, { status, headers: { ...headers, 'Content-Length': String(body.length) } });
}

/** The answer to HEAD: that to GET, its length said and its body left out. */
export function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}
