import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Again } from '../../../http/response-cache.ts';
import type { HeldAnswer } from '../../../registry/manifests/freshness.ts';

/** As Node writes them without another look; made once for each answer. */
const lines = new WeakMap<HeldAnswer, readonly string[]>();

function linesOf(answer: HeldAnswer): readonly string[] {
  const known = lines.get(answer);
  if (known) return known;
  const made = Object.entries(answer.headers).flat();
  lines.set(answer, made);
  return made;
}

/** Sends an answer that is held in memory. Its head says its length. */
export function writeCached(
  { answer, id, ended }: Again,
  { method, socket }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const before = socket.bytesWritten;
  outgoing.writeHead(200, [...linesOf(answer), 'X-Request-Id', id]);
  outgoing.end(method === 'HEAD' ? undefined : answer.body);
  ended({ bytes: socket.bytesWritten - before, cut: outgoing.destroyed });
}
