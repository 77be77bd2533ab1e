import { createServer, request } from 'node:http';
import { listen } from './listen.ts';

export interface TypeFront {
  readonly url: string;
  stop(): Promise<void>;
}

/** docker-registry answers to a type that it does not know by reading the manifest as schema 1. */
const unknownType = 'application/vnd.regshift.test.unknown+json';

/** The answer of distribution 3 to a type that it does not know (registry/handlers/manifests.go, PutManifest). */
const refusal = JSON.stringify({
  errors: [{ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }],
});

/**
 * The answer of distribution 2.6 to a request for a document of another type, which it finds among the blobs
 * (registry/storage/manifeststore.go, Get).
 */
const unknown = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] });

/**
 * Starts a front of a registry that takes some types of manifests only.
 * @param takes the media types. @param answer `registry`: the registry itself answers, to a type that it does not know;
 *   it would take schema 1 under any type. `front`: the front answers as distribution 3.
 */
export async function startTypeFront(
  target: string,
  takes: readonly string[],
  answer: 'registry' | 'front',
): Promise<TypeFront> {
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming;
    const isManifest = method === 'PUT' && path.includes('/manifests/');
    const isRefused = isManifest && !takes.includes(headers['content-type'] ?? '');
    if (isRefused && answer === 'front') {
      incoming.resume();
      incoming.on('end', () => {
        outgoing.writeHead(400, { 'Content-Type': 'application/json; charset=utf-8' }).end(refusal);
      });
      return;
    }
    const own = isRefused ? { ...headers, 'content-type': unknownType } : headers;
    const onward = request({ hostname, port, method, path, headers: own, agent: false });
    onward.on('response', (response) => {
      const isRead = (method === 'GET' || method === 'HEAD') && path.includes('/manifests/');
      if (isRead && response.statusCode === 200 && !takes.includes(response.headers['content-type'] ?? '')) {
        response.resume();
        outgoing.writeHead(404, { 'Content-Type': 'application/json; charset=utf-8' }).end(unknown);
        return;
      }
      outgoing.writeHead(response.statusCode ?? 0, response.rawHeaders);
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const { url, stop } = await listen(server);
  return { url, stop };
}
