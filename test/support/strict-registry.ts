import { createServer } from 'node:http';
import { listen } from './listen.ts';

export interface StrictRegistry {
  /** Like `127.0.0.1:40001`. */
  readonly host: string;
  /** The Authorization of each request, "" where it had none. */
  readonly authorizations: readonly string[];
  stop(): Promise<void>;
}

/** Serves `fetch` over a real socket to requests with one login, and refuses all others. */
export async function startStrictRegistry(
  login: string,
  fetch: (url: string, init?: RequestInit) => Promise<Response>,
): Promise<StrictRegistry> {
  const authorizations: string[] = [];
  const server = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    authorizations.push(headers.authorization ?? '');
    if (headers.authorization !== `Basic ${btoa(login)}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="strict"' }).end();
      return;
    }
    const answer = await fetch(`http://behind.test${url}`, { method });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  const { host, stop } = await listen(server);
  return { host, authorizations, stop };
}
