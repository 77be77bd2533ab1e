import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Request headers that may change the response beside those in the key. A request with one of them takes the full
 * way. The registry is asked about each `Origin` anew.
 */
const otherHeaders: ReadonlySet<string> = new Set([
  'if-none-match',
  'origin',
  'range',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

const keyHeaders: ReadonlySet<string> = new Set(['host', 'accept', 'user-agent']);
const lengths: ReadonlySet<number> = new Set(
  [...otherHeaders, ...keyHeaders, 'authorization'].map((name) => name.length),
);

/** Keys are kept in memory, and logins are not (docs/security.md). */
const secret = randomBytes(32).toString('hex');

/**
 * The key of the response cache: everything in a request that the response for a manifest depends on. It contains
 * header lines as they were sent, since other programs may read a repeated or empty line in another way.
 * @returns undefined for a request whose response may depend on more.
 */
export function responseCacheKey({ method, url, rawHeaders, socket }: IncomingMessage): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  // Without a Host header, the address that the client reached stands in the key.
  let key = `${method} ${hiddenTarget(url ?? '')} ${socket.localAddress} ${socket.localPort}`;
  let hasLogin = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    // Most headers are none of these, and comparing the length costs nothing.
    if (!lengths.has(raw.length)) continue;
    const name = raw.toLowerCase();
    if (otherHeaders.has(name)) return undefined;
    // A header cannot contain a line end.
    if (keyHeaders.has(name)) key += `\n${name}:${rawHeaders[at + 1]}`;
    if (name !== 'authorization') continue;
    // Node reads the first line of two, and a Request joins both.
    if (hasLogin) return undefined;
    hasLogin = true;
    key += `\n${name}:${hidden(rawHeaders[at + 1] ?? '')}`;
  }
  return key;
}

/** An absolute URL may have a login before its host, and a query may have a token (RFC 9112, 3.2.2; RFC 6750, 2.3). */
function hiddenTarget(url: string): string {
  return url.startsWith('/') && !url.includes('?') ? url : hidden(url);
}

function hidden(text: string): string {
  return hash('sha256', secret + text, 'base64');
}
