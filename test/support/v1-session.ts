import type { HeaderLine } from './old-clients.ts';
import { goHeaders, type V1Daemon } from './v1-daemons.ts';

export interface V1Response {
  readonly status: number;
  readonly body: Uint8Array;
  header(name: string): string | null | undefined;
}

/** Sends a request to the address that the client pulls from. */
export type V1Http = (method: string, path: string, headers: readonly HeaderLine[]) => Promise<V1Response>;

export interface V1SessionOptions {
  readonly daemon: V1Daemon;
  readonly http: V1Http;
  /** A login like `alice:secret`; undefined without one. */
  readonly login?: string | undefined;
  /** Over HTTPS a login goes with every request, even an empty one. */
  readonly https?: boolean | undefined;
  /** False for a client that drops cookies. */
  readonly cookies?: boolean | undefined;
}

/** The state that a daemon keeps from request to request. */
export interface V1Session {
  readonly daemon: V1Daemon;
  /** Requests a path of its index, which has login and search. */
  index(path: string): Promise<V1Response>;
  /** Requests a path of the endpoint that the index named, or else of the index. @param path below `/v1/`. */
  get(path: string, more?: readonly HeaderLine[]): Promise<V1Response>;
  /** The requested paths, with the context. */
  readonly asked: readonly string[];
}

export function v1Session(options: V1SessionOptions): V1Session {
  const { daemon, http, login, https = false, cookies = true } = options;
  const jar = new Map<string, string>();
  const asked: string[] = [];
  let token: string | undefined;
  let prefix = '';
  const basic: HeaderLine = ['Authorization', `Basic ${btoa(login ?? ':')}`];

  const send = async (path: string, headers: readonly HeaderLine[]) => {
    const jarred = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const cookie: HeaderLine[] = jarred ? [['Cookie', jarred]] : [];
    asked.push(path);
    const answer = await http('GET', path, [
      ['User-Agent', daemon.userAgent],
      ...headers,
      ...cookie,
      ...goHeaders,
    ]);
    // A cookie with another Path would not come back with requests to the endpoint (RFC 6265, section 5.1.4).
    const cookieLine = /^([^=]+)=([^;]*);(?:.*;)? *Path=\/(?:;|$)/;
    const [, name = '', value = ''] = cookieLine.exec(answer.header('set-cookie') ?? '') ?? [];
    if (name && cookies) jar.set(name, value);
    return answer;
  };

  return {
    daemon,
    asked,
    async index(path) {
      const own = https || login !== undefined ? [basic] : [];
      const answer = await send(`/v1/${path}`, [...own, ['X-Docker-Token', 'true']]);
      token = answer.header('x-docker-token') ?? undefined;
      const endpoint = answer.header('x-docker-endpoints');
      // The value is `<host>/<path>`; requests go to the host of `http` anyway.
      if (endpoint) prefix = endpoint.includes('/') ? endpoint.slice(endpoint.indexOf('/')) : '';
      return answer;
    },
    get(path, more = []) {
      const given: HeaderLine[] =
        token || daemon.bareToken ? [['Authorization', `Token ${token ?? ''}`]] : [];
      return send(`${prefix}/v1/${path}`, [...(https ? [basic] : given), ...more]);
    },
  };
}
