import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import type { Fetch } from '../../src/upstream/client.ts';

export interface AskedOfNetwork {
  readonly method: string;
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly authorization: string | null;
}

export type Host = (request: Request, url: URL) => Response | Promise<Response>;

export interface Network {
  readonly fetch: Fetch;
  /** The requests to all hosts, in order. */
  readonly asked: readonly AskedOfNetwork[];
  /** The requests to one host. */
  at(origin: string): readonly AskedOfNetwork[];
  forget(): void;
  /** Replaces the host at an origin; without a host, connections to it fail. */
  set(origin: string, host: Host | undefined): void;
}

/** Several registries under separate addresses. Requests to all other addresses fail, and are recorded. */
export function network(hosts: Readonly<Record<string, Host>>): Network {
  const known = new Map(Object.entries(hosts));
  const asked: AskedOfNetwork[] = [];
  return {
    asked,
    at: (origin) => asked.filter((each) => each.origin === origin),
    forget: () => {
      asked.length = 0;
    },
    set: (origin, host) => {
      if (host) known.set(origin, host);
      else known.delete(origin);
    },
    fetch: async (href, init) => {
      const url = new URL(href);
      const request = new Request(href, init);
      const { method, headers } = request;
      const { origin, pathname, search } = url;
      asked.push({
        method,
        origin,
        path: `${pathname}${search}`,
        authorization: headers.get('authorization'),
      });
      const host = known.get(origin);
      if (host === undefined) throw new TypeError('fetch failed');
      const response = await host(request, url);
      return method === 'HEAD' ? new Response(null, response) : response;
    },
  };
}

/** A registry with samples under other names. */
export function holding(repositories: Readonly<Record<string, string>>): Host {
  const samples = createSampleRegistry();
  return (request, url) => {
    const [, name = '', rest = ''] = /^\/v2\/(.+)(\/(?:manifests|blobs|tags)\/.+)$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/') return Response.json({});
    if (url.pathname === '/v2/_catalog') return Response.json({ repositories: Object.keys(repositories) });
    const sample = repositories[name];
    if (sample === undefined) {
      return Response.json({ errors: [{ code: 'NAME_UNKNOWN', message: `no ${name}` }] }, { status: 404 });
    }
    const { method, headers } = request;
    return samples.fetch(`http://sample.test/v2/${sample}${rest}${url.search}`, { method, headers });
  };
}

/** Lets requests with one Authorization through, and challenges all others. */
export function behindLogin(authorization: string, host: Host, challenge = 'Basic realm="test"'): Host {
  return (request, url) =>
    request.headers.get('authorization') === authorization
      ? host(request, url)
      : Response.json({ errors: [] }, { status: 401, headers: { 'WWW-Authenticate': challenge } });
}
