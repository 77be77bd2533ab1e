import type { ClientRequest } from '../registry/client-request.ts';
import { discard } from '../upstream/body.ts';
import { pickHeaders } from '../upstream/error-response.ts';
import { apiVersion } from './responses.ts';
import { responseWithUpstreamBody } from './upstream-body.ts';

/** What of an answer is about content, uploads and errors; Location and Link name addresses, and are written anew. */
const handedBack = [
  'content-type',
  'docker-content-digest',
  'docker-upload-uuid',
  'range',
  'oci-chunk-min-length',
  'oci-subject',
  'oci-tag',
  'oci-filters-applied',
  'allow',
  'retry-after',
  'warning',
  'ratelimit-limit',
  'ratelimit-remaining',
];

/**
 * Upstream's answer as it is, to a request that writes as well as to one that reads a list.
 * @param more headers that the proxy writes itself.
 */
export function forwardResponse(
  request: ClientRequest,
  response: Response,
  more: Record<string, string> = {},
): Response {
  const { status, headers } = response;
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
  // A list is asked for by GET whatever the client asks by: what nobody reads would hold its connection for good.
  if (bodiless) void discard(response);
  // `fetch` undoes an encoding that upstream was asked not to use, and leaves the length as it was.
  const length = headers.has('content-encoding') ? [] : ['content-length'];
  return responseWithUpstreamBody(bodiless ? null : response.body, {
    status,
    headers: { ...apiVersion, ...pickHeaders(response, [...handedBack, ...length]), ...more },
  });
}
