import { ConversionError } from '../../converters/errors.ts';
import { Failure, wire } from '../errors.ts';

/** Docker up to 1.9 takes a registry whose ping lacks this header for one of API v1. */
export const apiVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' } as const;

/** The error body of the distribution spec (1.1, "Error Codes"). */
export function errorAnswer(error: unknown, head: boolean): Response {
  const failure = failureFrom(error);
  const { code } = wire[failure.code];
  const status = statusOf(failure);
  const detail = failure.detail ? { detail: failure.detail } : {};
  const body = new TextEncoder().encode(
    JSON.stringify({ errors: [{ code, message: failure.message, ...detail }] }),
  );
  const headers = new Headers({
    ...apiVersion,
    ...failure.headers,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    // What is wrong now, or for this client, may be right soon, or for another one (RFC 9111, section 4.2.2: 404).
    'Cache-Control': 'no-store',
    Vary: 'Accept, Authorization, User-Agent',
  });
  return new Response(head ? null : body, { status, headers });
}

/** A status of upstream that speaks of its own trouble is told as it is. */
export function statusOf({ code, detail }: Failure): number {
  const upstreamStatus = code === 'UPSTREAM_ANSWER' ? Number(detail?.upstreamStatus) : Number.NaN;
  return upstreamStatus >= 500 ? upstreamStatus : wire[code].status;
}

/** Faults of stored content are upstream's; what cannot be expressed is a matter between image and client. */
export function failureFrom(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ConversionError) {
    const forClient = ['INEXPRESSIBLE', 'NOT_AN_IMAGE', 'NO_PLATFORM', 'LIMIT', 'UNAVAILABLE'].includes(
      error.code,
    );
    return new Failure(forClient ? 'UNSUPPORTED' : 'UPSTREAM_CONTENT', error.message, {
      cause: error,
      detail: { reason: error.code, ...(error.path ? { path: error.path } : {}) },
    });
  }
  return new Failure('INTERNAL', 'regshift could not answer this request; its log says why.', {
    cause: error,
  });
}

/** Bytes as an answer; a HEAD has the same headers and no body. */
export function bytesAnswer(
  body: Uint8Array,
  headers: Record<string, string>,
  head: boolean,
  status = 200,
): Response {
  return new Response(head ? null : (body as Uint8Array<ArrayBuffer>), {
    status,
    headers: wholeHeaders(body, headers),
  });
}

/** With those that every answer of bytes has. */
export function wholeHeaders(body: Uint8Array, headers: Record<string, string>): Record<string, string> {
  return { ...apiVersion, ...headers, 'Content-Length': String(body.length) };
}

/** True when `If-None-Match` names the digest that would be sent (RFC 9110, section 13.1.2). */
export function matchesEtag(header: string | null, digest: string): boolean {
  if (header === null) return false;
  const tags = header.split(',').map((each) => each.trim().replace(/^W\//, '').replace(/^"|"$/g, ''));
  return tags.includes('*') || tags.includes(digest);
}
