import type { ClientRequest } from '../../registry/client-request.ts';
import type { Pinger } from '../../registry/ping.ts';
import { bytesResponse } from '../responses.ts';

/**
 * `GET /v2/`: tells a client whether it must log in. Where the client's own login is for upstream, upstream's answer
 * is the answer, with its challenge; otherwise the proxy speaks for itself.
 */
export async function pingResponse(
  pinger: Pinger,
  request: ClientRequest,
  passThrough: boolean,
): Promise<Response> {
  if (passThrough) request.notes.ping = await pinger.ping(request.context);
  const body = new TextEncoder().encode('{}');
  return bytesResponse(body, { 'Content-Type': 'application/json' }, request.method === 'HEAD');
}
