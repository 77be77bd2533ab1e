import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Headers by which an answer may differ beside those of the question; a request that has one is looked at anew. */
const others: ReadonlySet<string> = new Set([
  'if-none-match',
  'range',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

const asked: ReadonlySet<string> = new Set(['host', 'accept', 'user-agent']);
const lengths: ReadonlySet<number> = new Set(
  [...others, ...asked, 'authorization'].map((name) => name.length),
);

/** Questions are remembered, and logins are not (docs/security.md). */
const secret = randomBytes(32).toString('hex');

/**
 * All of a request that the answer for a manifest depends on, for `HeldAnswers`: line by line as it was sent, since a
 * line that is there twice, or is empty, is read in one way here and in another one there.
 * @returns undefined for a request whose answer may depend on more than that.
 */
export function responseCacheKey({ method, url, rawHeaders, socket }: IncomingMessage): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  // A client that names no host is told apart by the address that it has reached.
  let question = `${method} ${url} ${socket.localAddress} ${socket.localPort}`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    // Most headers are none of these, and to look at a length costs nothing.
    if (!lengths.has(raw.length)) continue;
    const name = raw.toLowerCase();
    if (others.has(name)) return undefined;
    // No header has the end of a line in it.
    if (asked.has(name)) question += `\n${name}:${rawHeaders[at + 1]}`;
    if (name === 'authorization') question += `\n${name}:${hidden(rawHeaders[at + 1] ?? '')}`;
  }
  return question;
}

function hidden(login: string): string {
  return hash('sha256', secret + login, 'base64');
}
