import type { IncomingMessage } from 'node:http';

/** Headers by which an answer may differ beside those of the question; a request that has one is looked at anew. */
const others = ['if-none-match', 'range', 'x-forwarded-host', 'x-forwarded-proto'];

/**
 * All of a request that the answer for a manifest depends on, as it was sent, for `HeldAnswers`.
 * @returns undefined for a request whose answer may depend on more than that.
 */
export function questionOf({ method, url, headers, socket }: IncomingMessage): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  for (const name of others) if (headers[name] !== undefined) return undefined;
  const { host, accept, authorization } = headers;
  // No header has the end of a line in it.
  return [method, url, socket.localPort, host, accept, headers['user-agent'], authorization].join('\n');
}
