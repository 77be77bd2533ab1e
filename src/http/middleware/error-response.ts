import type { Context } from 'hono';
import { isV1Path } from '../../client-state/v1-session.ts';
import { RegistryError } from '../../errors.ts';
import type { Env } from '../env.ts';
import { errorResponse } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { explainError } from '../route.ts';
import { v1ErrorResponse } from '../v1/responses.ts';

/**
 * The response to a request that failed: in the shape of the API that its path belongs to, and in the words of its
 * route's client. `failure` keeps the error for the log.
 */
export async function respondWithError(thrown: unknown, context: Context<Env>): Promise<Response> {
  const received = context.get('received');
  const route = context.get('route');
  const error = route === undefined ? thrown : await explainError(route, context.get('request'), thrown);
  context.set('failure', error);
  if (isV1Path(received.url.pathname)) return v1ErrorResponse(error, received);
  return errorResponse(error, received.method === 'HEAD');
}

/** The response for a path without a route. Hono wants it returned, not thrown. */
export function unknownEndpoint(context: Context<Env>): Promise<Response> {
  const { pathname } = context.get('received').url;
  const path = quoted(pathname.replace(/^\/+/, '/'), 200);
  const message = isV1Path(pathname)
    ? `There is nothing at ${path} in registry API v1.`
    : `There is nothing at ${path} here.`;
  return respondWithError(new RegistryError('ENDPOINT_UNKNOWN', message), context);
}
