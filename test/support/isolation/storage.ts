import { createServer } from 'node:http';
import { listen } from '../listen.ts';

export interface Storage {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the other origin, to which registries redirect for blobs.
 * @param blobOf returns the bytes of a digest.
 * @param onCredential is called for each credential: none belongs here.
 */
export async function startStorage(
  blobOf: (digest: string) => Uint8Array | undefined,
  onCredential: (header: string) => void,
): Promise<Storage> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    response.on('error', () => undefined);
    for (const name of ['authorization', 'cookie', 'proxy-authorization', 'x-docker-token'])
      if (request.headers[name] !== undefined) onCredential(`${name}: ${request.headers[name]}`);
    const blob = blobOf((request.url ?? '').split('/').at(-1) ?? '');
    response.writeHead(blob ? 200 : 404, { 'content-length': blob?.length ?? 0 });
    response.end(request.method === 'HEAD' ? undefined : blob);
  });
  return listen(server);
}
