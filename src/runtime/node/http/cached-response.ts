import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CachedResponse } from '../../../http/response-cache.ts';
import type { WholeResponse } from '../../../registry/manifests/freshness.ts';

/** As Node writes them without another look; made once for each answer. */
const lines = new WeakMap<WholeResponse, readonly string[]>();

function linesOf(answer: WholeResponse): readonly string[] {
  const known = lines.get(answer);
  if (known) return known;
  const made = Object.entries(answer.headers).flat();
  lines.set(answer, made);
  return made;
}

/** Sends an answer that is held in memory. Its head says its length. */
export function writeCachedResponse(
  { response, id, finished }: CachedResponse,
  { method, socket }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const before = socket.bytesWritten;
  outgoing.writeHead(200, [...linesOf(response), 'X-Request-Id', id]);
  outgoing.end(method === 'HEAD' ? undefined : response.body);
  finished({ bytes: socket.bytesWritten - before, aborted: outgoing.destroyed });
}
