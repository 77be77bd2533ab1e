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
 * Upstream's response unchanged, for a request that writes or that reads a list.
 * @param more headers that the proxy adds.
 */
export function forwardResponse(
  request: ClientRequest,
  response: Response,
  more: Record<string, string> = {},
): Response {
  const { status } = response;
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
  const isEmpty =
    response.headers.get('content-length') === '0' ||
    (request.method !== 'HEAD' && (bodiless || response.body === null));
  // The proxy asks for a list by GET even for a HEAD. An unread body would hold its connection open.
  if (bodiless) void discard(response);
  // `fetch` decodes an encoding that the proxy asked upstream not to use, and leaves the old length.
  const length = encodingOf(response) !== undefined ? [] : ['content-length'];
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
