import { failureOf } from '../stored/upstream-answer.ts';
import { discard } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { bytesAnswer } from './answer.ts';
import type { ClientRequest } from './client-request.ts';

/**
 * `GET /v2/`: tells a client whether it must log in. Where the client's own login is for upstream, upstream's answer
 * is the answer, with its challenge; otherwise the proxy speaks for itself.
 */
export async function answerPing(
  client: UpstreamClient,
  request: ClientRequest,
  passThrough: boolean,
): Promise<Response> {
  if (passThrough) {
    const { signal, credential, budget } = request.caller;
    const { response } = await client.request({
      method: 'GET',
      path: '/v2/',
      credential,
      budget,
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) throw await failureOf(response, 'registry API v2', 'NAME_UNKNOWN');
    await discard(response);
  }
  const body = new TextEncoder().encode('{}');
  return bytesAnswer(body, { 'Content-Type': 'application/json' }, request.method === 'HEAD');
}
