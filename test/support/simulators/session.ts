import type { HeaderLine } from '../old-clients.ts';
import { type RawResponse, rawRequest } from '../raw-http.ts';
import type { Target } from './simulator.ts';

/** The requests of one pull. */
export interface Session {
  readonly target: Target;
  /** The Authorization of all following requests. */
  authorization: string | undefined;
  readonly requests: readonly string[];
  /** Sends a request and follows redirects as Go does; any status. @param url absolute, or a path of the registry. */
  send(method: string, url: string, headers: readonly HeaderLine[], body?: Uint8Array): Promise<RawResponse>;
  /** Sends a request. @throws Error for any status but 200. */
  expectOk(method: string, url: string, headers: readonly HeaderLine[]): Promise<RawResponse>;
}

/** The redirects that Go follows: 308 came with Go 1.8, of 2017. */
const followed: readonly number[] = [301, 302, 303, 307];
const maximumHops = 10;

export function startSession(target: Target): Session {
  const origin = `http://127.0.0.1:${target.port}`;
  const requests: string[] = [];

  async function send(
    method: string,
    url: string,
    headers: readonly HeaderLine[],
    body = new Uint8Array(),
  ): Promise<RawResponse> {
    let at = absolute(url, origin);
    for (let hop = 0; hop <= maximumHops; hop += 1) {
      requests.push(`${method} ${at.origin === origin ? at.path : at.origin + at.path}`);
      // Go sends a login only to its own host.
      const own = at.origin === origin ? session.authorization : undefined;
      const lines = own === undefined ? headers : withAuthorization(headers, own);
      const response = await rawRequest({ port: at.port, method, path: at.path, headers: lines, body });
      const location = response.header('Location');
      if (!followed.includes(response.status) || location === undefined) return response;
      at = absolute(new URL(location, at.origin + at.path).href, origin);
    }
    throw new Error(`${method} ${url}: stopped after ${maximumHops} redirects`);
  }

  const session: Session = {
    target,
    authorization: undefined,
    requests,
    send,
    async expectOk(method, url, headers) {
      const response = await send(method, url, headers);
      if (response.status === 200) return response;
      throw new Error(`${method} ${url}: ${response.status} ${new TextDecoder().decode(response.body)}`);
    },
  };
  return session;
}

interface Address {
  readonly origin: string;
  readonly port: number;
  /** Path and query as they are written. */
  readonly path: string;
}

function absolute(url: string, origin: string): Address {
  if (url.startsWith('/')) return { origin, port: Number(new URL(origin).port), path: url };
  const { hostname, port, pathname, search, origin: other } = new URL(url);
  if (hostname !== '127.0.0.1') throw new Error(`${url}: dial tcp: lookup ${hostname}: no such host`);
  return { origin: other, port: Number(port), path: pathname + search };
}

/** Adds Authorization in Go's order: User-Agent first, then the program's own headers by name, then those of Go. */
function withAuthorization(headers: readonly HeaderLine[], value: string): HeaderLine[] {
  const accepts = headers.filter(([name]) => name === 'User-Agent' || name === 'Accept');
  const rest = headers.filter((line) => !accepts.includes(line));
  return [...accepts, ['Authorization', value], ...rest];
}
