import type { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { registryErrorFrom, statusOf } from '../errors.ts';

/** JSON as an answer; a HEAD has the same headers and no body. */
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

/** What takes a login must not be kept by a cache that serves others too. */
export function v1CacheControl(found: { readonly public: boolean }): Record<string, string> {
  return found.public ? {} : { 'Cache-Control': 'private' };
}

/**
 * What exists and cannot be given. Docker takes 404 for "image not found", and 401 for a question for a password;
 * of other statuses 1.6 to 17.05 print the body.
 */
const unsupportedStatus = 406;

function isUnsupported({ code }: RegistryError): boolean {
  return code === 'UNSUPPORTED' || code === 'UNSIGNED';
}

/** An error as API v1 writes it. */
export function v1ErrorResponse(error: unknown, request: ClientRequest): Response {
  const failure = registryErrorFrom(error);
  const status = isUnsupported(failure) ? unsupportedStatus : statusOf(failure);
  const answer = v1JsonResponse({ error: failure.message }, request, {}, status);
  for (const [name, value] of Object.entries(failure.headers)) answer.headers.set(name, value);
  // Upstream's own challenge may be one for a token, which no client of API v1 knows.
  if (status === 401) answer.headers.set('WWW-Authenticate', 'Basic realm="regshift"');
  return answer;
}
