import type { ClientRequest } from '../registry/client-request.ts';
import { discard, encodingOf } from '../upstream/body.ts';
import { noticesOf, pickHeaders } from '../upstream/error-response.ts';
import { cacheControlFor } from './cache-control.ts';
import { inertHeaders } from './inert-content.ts';
import { apiVersion } from './responses.ts';
import { responseWithUpstreamBody } from './upstream-body.ts';

/**
 * Response headers about content, uploads and errors. The proxy writes Location and Link itself, since they name
 * addresses.
 */
const handedBack = ['content-type', 'docker-content-digest', 'docker-upload-uuid', 'range', 'allow'];

/**
 * Upstream's response unchanged, for a request that writes or that reads a list. An encoded body that was not requested
 * is dropped: the status counts.
 * @param more headers that the proxy adds.
 */
export function forwardResponse(
  request: ClientRequest,
  response: Response,
  more: Record<string, string> = {},
): Response {
  const { status } = response;
  // The web's fetch decodes such a body. The one for Node does not: its bytes are unreadable without the header.
  const isEncoded = encodingOf(response) !== undefined;
  const bodiless = isEncoded || request.method === 'HEAD' || status === 204 || status === 304;
  const isEmpty =
    response.headers.get('content-length') === '0' ||
    (request.method !== 'HEAD' && (bodiless || response.body === null));
  // The proxy asks for a list by GET even for a HEAD. An unread body would hold its connection open.
  if (bodiless) void discard(response);
  const length = isEncoded ? [] : ['content-length'];
  return responseWithUpstreamBody(bodiless ? null : response.body, {
    status,
    headers: {
      ...apiVersion,
      ...pickHeaders(response, [...handedBack, ...length]),
      ...noticesOf(response),
      'Cache-Control': cacheControlFor(request, response.headers.get('cache-control')),
      ...(isEmpty ? {} : inertHeaders(response.headers.get('content-type'))),
      ...more,
    },
  });
}
