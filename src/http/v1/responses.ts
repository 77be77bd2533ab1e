import type { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { registryErrorFrom, statusOf } from '../errors.ts';

/** A JSON response. A HEAD gets the same headers and no body. */
export function v1JsonResponse(
  value: unknown,
  request: ClientRequest,
  headers: Record<string, string> = {},
  status = 200,
): Response {
  return v1BytesResponse(new TextEncoder().encode(JSON.stringify(value)), request, headers, status);
}

export function v1BytesResponse(
  body: Uint8Array,
  { method }: Pick<ClientRequest, 'method'>,
  headers: Record<string, string>,
  status = 200,
): Response {
  return new Response(method === 'HEAD' ? null : (body as Uint8Array<ArrayBuffer>), {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Length': String(body.length), ...headers },
  });
}

/** Shared caches must not keep a response that needs a login. */
export function v1CacheControl(found: { readonly public: boolean }): Record<string, string> {
  return found.public ? {} : { 'Cache-Control': 'private' };
}

/**
 * The status for an image that exists and that this client cannot read. Docker takes 404 for "image not found" and
 * asks for a password at 401; of other statuses, 1.6 to 17.05 print the body.
 */
const unsupportedStatus = 406;

function isUnsupported({ code }: RegistryError): boolean {
  return code === 'UNSUPPORTED' || code === 'UNSIGNED';
}

/** An error may be over soon, and may concern one client only (RFC 9111, section 4.2.2: 404 is cacheable). */
const notStored = { 'Cache-Control': 'no-store', Vary: 'Authorization, User-Agent' } as const;

/** An error in the shape of API v1. */
export function v1ErrorResponse(error: unknown, request: ClientRequest): Response {
  const failure = registryErrorFrom(error);
  const status = isUnsupported(failure) ? unsupportedStatus : statusOf(failure);
  const answer = v1JsonResponse({ error: failure.message }, request, notStored, status);
  for (const [name, value] of Object.entries(failure.headers)) answer.headers.set(name, value);
  // Upstream's challenge may ask for a token. Clients of API v1 do not know tokens.
  if (status === 401) answer.headers.set('WWW-Authenticate', 'Basic realm="regshift"');
  return answer;
}
