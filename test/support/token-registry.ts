import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { listen } from './listen.ts';

export interface TokenRegistry {
  readonly url: string;
  stop(): Promise<void>;
}

/** The identity token that the login gets, and that its server takes by POST. */
export const identityToken = 'identity-of-the-login';

/**
 * Serves the samples to one login, behind tokens like those of Docker Hub (distribution, "Token Authentication" and
 * "OAuth2 token").
 */
export async function startTokenRegistry(login: string): Promise<TokenRegistry> {
  const samples = createSampleRegistry();
  const server = createServer((request, response) => void answer(request, response));
  const { url, stop } = await listen(server);

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const { method = 'GET', url: path = '/', headers } = request;
    const { authorization } = headers;
    if (/^\/auth(\?|$)/.test(path)) {
      const form = method === 'POST' ? new URLSearchParams(await text(request)) : undefined;
      const isKnown = form
        ? form.get('refresh_token') === identityToken
        : authorization === `Basic ${btoa(login)}`;
      const identity = path.includes('offline_token=true') ? { refresh_token: identityToken } : {};
      const granted = { token: 'good', access_token: 'good', expires_in: 300, ...identity };
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify(isKnown ? granted : {}));
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
