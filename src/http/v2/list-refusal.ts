import { limits } from '../../../converters/limits.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { readBounded } from '../../upstream/body.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { errorFromResponse, isJson } from '../../upstream/error-response.ts';
import { forwardResponse } from '../forward-response.ts';

/**
 * The registry's own refusal of a list, with its words. A refusal without JSON is the page of a gateway: the client gets
 * a sentence with its status.
 * @param what the name of the list in messages, like `tags of library/busybox`.
 * @throws RegistryError, also for a body that stands still.
 */
export async function listRefusal(
  request: ClientRequest,
  refusal: Response,
  what: string,
  { answerMs }: Pick<UpstreamClient, 'answerMs'>,
): Promise<Response> {
  if (!isJson(refusal)) throw await errorFromResponse(refusal, what, 'NAME_UNKNOWN');
  // The body of a HEAD is not read.
  if (request.method === 'HEAD') return forwardResponse(request, refusal);
  const body = await readBounded(refusal, limits.documentBytes, `the refusal of the ${what}`, answerMs);
  // A response of some statuses, like 304, has no body.
  const own = body.length > 0 ? (body as Uint8Array<ArrayBuffer>) : null;
  return forwardResponse(request, new Response(own, refusal));
}
