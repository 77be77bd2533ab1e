import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { listen } from './listen.ts';

export interface TokenRegistry {
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves the samples to one login, behind tokens like those of Docker Hub (distribution, "Token Authentication"). */
export async function startTokenRegistry(login: string): Promise<TokenRegistry> {
  const samples = createSampleRegistry();
  const server = createServer((request, response) => void answer(request, response));
  const { url, stop } = await listen(server);

  async function answer(
    { method = 'GET', url: path = '/', headers }: IncomingMessage,
    response: ServerResponse,
  ) {
    const { authorization } = headers;
    if (path.startsWith('/auth?')) {
      const known = authorization === `Basic ${btoa(login)}`;
      response.writeHead(known ? 200 : 401).end(known ? '{"token":"good","expires_in":300}' : '{}');
    } else if (authorization !== 'Bearer good') {
      const challenge = `Bearer realm="${url}/auth",service="test"`;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end('{}');
    } else {
      const sent = new Headers({ accept: headers.accept ?? '' });
      const given = await samples.fetch(`http://sample.test${path}`, { method, headers: sent });
      response.writeHead(given.status, Object.fromEntries(given.headers));
      response.end(new Uint8Array(await given.arrayBuffer()));
    }
  }

  return { url, stop };
}
