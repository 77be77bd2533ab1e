import { createServer, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type Listening, listen } from './listen.ts';
import { writableRegistry } from './writable-registry.ts';

export interface LoginRegistry {
  readonly url: string;
  /** The tokens that the token server has given out, and the signatures of the storage's URLs. */
  readonly given: readonly string[];
  stop(): Promise<void>;
}

/** Seconds that a token is valid: the shortest life of which regshift uses a token again, for a second. */
const tokenSeconds = 11;

/** Content whose response comes after this many milliseconds. */
export const late = { path: '/v2/sample/oci/manifests/late', milliseconds: 500 };

/**
 * The samples and all pushed content, for every login whose password begins with `right`, and for every other token.
 * @param scheme of the challenge: with `Bearer`, a token server takes the logins.
 */
export async function startLoginRegistry(scheme: 'Basic' | 'Bearer'): Promise<LoginRegistry> {
  const samples = createSampleRegistry();
  const { script } = writableRegistry();
  const given: string[] = [];

  function isAllowed(authorization: string): boolean {
    const [named = '', value = ''] = authorization.split(' ');
    if (named === 'Bearer') return true;
    return scheme === 'Basic' && isRight(value);
  }

  function giveToken(authorization = ''): Response {
    if (!isRight(authorization.split(' ')[1] ?? '')) return Response.json({}, { status: 401 });
    const token = `given-${crypto.randomUUID()}`;
    given.push(token);
    return Response.json({ token, expires_in: tokenSeconds });
  }

  async function answer(incoming: IncomingMessage): Promise<Response> {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const { authorization = '' } = headers;
    if (path.startsWith('/auth')) return giveToken(authorization);
    if (!isAllowed(authorization)) {
      const challenge =
        scheme === 'Basic' ? 'Basic realm="test"' : `Bearer realm="${url}/auth",service="test"`;
      return Response.json({}, { status: 401, headers: { 'WWW-Authenticate': challenge } });
    }
    if (path === late.path) await sleep(late.milliseconds);
    const href = `http://samples.test${path}`;
    const sent = new Headers();
    for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent.set(name, value);
    const body = method === 'GET' || method === 'HEAD' ? undefined : Readable.toWeb(incoming);
    const init = { method, headers: sent, ...(body ? { body, duplex: 'half' } : {}) } as RequestInit;
    const written = await script(new Request(href, init), new URL(href));
    if (written) return written;
    const stored = await samples.fetch(href, { method, headers: sent });
    return stored.ok && method === 'GET' && path.includes('/blobs/sha256:') ? toStorage(path) : stored;
  }

  /** Sends to a signed URL, as registries do whose blobs are in a cloud's storage. */
  function toStorage(path: string): Response {
    const signature = `signed-${crypto.randomUUID()}`;
    given.push(signature);
    const location = `${storage.url}${path}?signature=${signature}`;
    return new Response(null, { status: 307, headers: { Location: location } });
  }

  const storage = await serve(({ url: path = '' }) => samples.fetch(`http://samples.test${path}`));

  const { url, stop } = await serve(answer);
  return { url, given, stop: async () => void (await Promise.all([stop(), storage.stop()])) };
}

/** Serves with connections that stay open longer than the test. */
function serve(answer: (incoming: IncomingMessage) => Promise<Response>): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: 60_000 }, async (incoming, outgoing) => {
    const response = await answer(incoming);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(new Uint8Array(await response.arrayBuffer()));
  });
  return listen(server);
}

function isRight(encoded: string): boolean {
  return /^[^:]*:right/.test(atob(encoded));
}
