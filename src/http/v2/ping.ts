import type { Handler } from 'hono';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Pinger } from '../../registry/ping.ts';
import { cacheControlFor } from '../cache-control.ts';
import type { Env } from '../env.ts';
import { bytesResponse } from '../responses.ts';

/** `GET /v2/`. @throws RegistryError as `pingResponse`. */
export const ping: Handler<Env> = (context) => {
  const { registry, login } = context.get('route');
  return pingResponse(registry.pinger, context.get('request'), login === 'passthrough');
};

/**
 * `GET /v2/` tells a client whether it must log in. With pass-through the client gets upstream's answer and
 * challenge; otherwise the proxy answers by itself.
 */
export async function pingResponse(
  pinger: Pinger,
  request: ClientRequest,
  passThrough: boolean,
): Promise<Response> {
  if (passThrough) request.notes.ping = await pinger.ping(request.context);
  const body = new TextEncoder().encode('{}');
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': cacheControlFor(request) };
  return bytesResponse(body, headers, request.method === 'HEAD');
}
