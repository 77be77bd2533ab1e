import { ConversionError } from '../../converters/errors.ts';
import { codeOfConversion, httpErrors, RegistryError } from '../errors.ts';
import { apiVersion } from './responses.ts';

/**
 * The error body of the distribution spec (1.1, "Error Codes"). A HEAD gets no Content-Length: the body of a GET has the
 * words of the registry, which has none for a HEAD (RFC 9110, section 9.3.2).
 */
export function errorResponse(error: unknown, head: boolean): Response {
  const failure = registryErrorFrom(error);
  const status = statusOf(failure);
  const code = passesRefusal(failure) ? failure.detail?.upstreamCode : httpErrors[failure.code].code;
  const { message, detail } = failure;
  const body = new TextEncoder().encode(JSON.stringify({ errors: [{ code, message, detail }] }));
  const headers = new Headers({
    ...apiVersion,
    ...failure.headers,
    'Content-Type': 'application/json',
    ...(head ? {} : { 'Content-Length': String(body.length) }),
    // An error may be over soon, and may concern one client only (RFC 9111, section 4.2.2: 404 is cacheable).
    'Cache-Control': 'no-store',
    Vary: 'Accept, Authorization, User-Agent',
  });
  return new Response(head ? null : body, { status, headers });
}

/**
 * The HTTP status of an error. A 5xx of upstream passes through, and so does a 4xx with an error code of a registry:
 * engines show the reason of a 4xx alone. Any other 4xx is that of a gateway, to a request that the client did not send.
 */
export function statusOf({ code, detail }: RegistryError): number {
  const upstreamStatus = code === 'UPSTREAM_ANSWER' ? Number(detail?.upstreamStatus) : Number.NaN;
  return upstreamStatus >= 500 || passesRefusal({ code, detail }) ? upstreamStatus : httpErrors[code].status;
}

function passesRefusal({ code, detail }: Pick<RegistryError, 'code' | 'detail'>): boolean {
  return (
    code === 'UPSTREAM_ANSWER' && Number(detail?.upstreamStatus) < 500 && detail?.upstreamCode !== undefined
  );
}

/** The error for the client. A conversion error gets the code of `codeOfConversion`. */
export function registryErrorFrom(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof ConversionError) {
    return new RegistryError(codeOfConversion(error), error.message, {
      cause: error,
      detail: { reason: error.code, ...(error.path ? { path: error.path } : {}) },
    });
  }
  return new RegistryError('INTERNAL', 'regshift could not answer this request; its log says why.', {
    cause: error,
  });
}
