import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { Registry } from '../registry/registry.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamRequest } from '../upstream/client.ts';
import { errorFromResponse, pickHeaders } from '../upstream/error-response.ts';
import { isRedirect } from '../upstream/redirect.ts';

/** The place that a client's request is forwarded to. */
export interface ForwardTarget {
  readonly path: string;
  readonly url?: URL;
  readonly repository: RepositoryName;
  /** Scopes that a token needs. */
  readonly scopes: readonly string[];
  /** The name for messages, like `upload of a blob of team/app`. */
  readonly what: string;
}

/** Request headers about the body. The runtime has answered `Expect`. */
const sentOn = ['content-type', 'content-range', 'content-encoding', 'accept', 'if-match', 'if-none-match'];

/**
 * Forwards a request that writes, body byte for byte, with a Content-Length if the client sent one.
 * @returns upstream's response, of any status except the ones below.
 * @throws RegistryError UNAUTHORIZED with upstream's challenge; UPSTREAM_ANSWER for a redirect, which would send the
 *   body to another server; as `UpstreamClient.request`.
 */
export async function forwardRequest(
  registry: Registry,
  request: ClientRequest,
  onward: ForwardTarget,
): Promise<Response> {
  const { what, url, ...where } = onward;
  const { signal, credential, budget } = request.context;
  const { response } = await registry.client.request({
    ...where,
    ...(url ? { url } : {}),
    method: request.method as UpstreamRequest['method'],
    credential,
    budget,
    ...bodyOf(registry, request, pickHeaders(request, sentOn)),
    signal,
  });
  if (response.status === 401) throw await errorFromResponse(response, what, 'NAME_UNKNOWN');
  if (!isRedirect(response)) return response;
  await discard(response);
  throw new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream answered the ${what} with a redirect (${response.status}), which is not followed. If the registry has ` +
      'moved, configure its new address.',
  );
}

function bodyOf(
  { pushes }: Registry,
  request: ClientRequest,
  headers: Record<string, string>,
): Pick<UpstreamRequest, 'headers' | 'body'> {
  const { replacedBody } = request;
  if (replacedBody)
    return { headers: { ...headers, 'content-length': `${replacedBody.length}` }, body: replacedBody };
  const body = hasBody(request) ? request.body() : undefined;
  const length = request.headers.get('content-length') ?? '';
  if (body === undefined) return { headers };
  if (!/^\d{1,15}$/.test(length)) return { headers, body: pushes.forwardBody(body, undefined) };
  return {
    headers: { ...headers, 'content-length': length },
    body: pushes.forwardBody(body, Number(length)),
  };
}

/**
 * Node gives an empty stream to a request without a body. Over HTTP/2, at Cloudflare, a body has no Content-Length.
 */
function hasBody({ method, headers, url }: ClientRequest): boolean {
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return false;
  const length = headers.get('content-length');
  if (length !== null) return Number(length) !== 0;
  return method !== 'POST' || url.searchParams.has('digest') || headers.has('transfer-encoding');
}
