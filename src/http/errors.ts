import { ConversionError } from '../../converters/errors.ts';
import { httpErrors, RegistryError } from '../errors.ts';
import { apiVersion } from './responses.ts';

/** The error body of the distribution spec (1.1, "Error Codes"). */
export function errorResponse(error: unknown, head: boolean): Response {
  const failure = registryErrorFrom(error);
  const { code } = httpErrors[failure.code];
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
    // An error may be over soon, and may concern one client only (RFC 9111, section 4.2.2: 404 is cacheable).
    'Cache-Control': 'no-store',
    Vary: 'Accept, Authorization, User-Agent',
  });
  return new Response(head ? null : body, { status, headers });
}

/** The HTTP status of an error. A 5xx of upstream passes through. */
export function statusOf({ code, detail }: RegistryError): number {
  const upstreamStatus = code === 'UPSTREAM_ANSWER' ? Number(detail?.upstreamStatus) : Number.NaN;
  return upstreamStatus >= 500 ? upstreamStatus : httpErrors[code].status;
}

/**
 * Faults of stored content become upstream errors. A conversion that the client's format cannot express becomes
 * UNSUPPORTED.
 */
export function registryErrorFrom(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof ConversionError) {
    const forClient = ['INEXPRESSIBLE', 'NOT_AN_IMAGE', 'NO_PLATFORM', 'LIMIT', 'UNAVAILABLE'].includes(
      error.code,
    );
    return new RegistryError(forClient ? 'UNSUPPORTED' : 'UPSTREAM_CONTENT', error.message, {
      cause: error,
      detail: { reason: error.code, ...(error.path ? { path: error.path } : {}) },
    });
  }
  return new RegistryError('INTERNAL', 'regshift could not answer this request; its log says why.', {
    cause: error,
  });
}
