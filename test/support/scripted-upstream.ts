import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { upstreamUrl } from './upstream-url.ts';

/** A script that responds to a request itself, throws as `fetch` does, or leaves the request to the samples. */
export type Script = (request: Request, url: URL) => Response | undefined | Promise<Response | undefined>;

/** The Range of a request for the first bytes of a layer. */
export const firstBytes = 'bytes=0-511';

export interface Upstream {
  readonly fetch: Fetch;
  /**
   * The requests, in order: `GET /v2/…` for the registry, the whole URL for other hosts. Only `forget` clears them. The
   * requests for the first bytes of layers are in `probed`: most of them are made when no client waits any more.
   */
  readonly asked: readonly string[];
  /** The paths of layers whose first bytes were requested. */
  readonly probed: readonly string[];
  /** The Authorization of the requests in `asked`. */
  readonly carried: readonly (string | null)[];
  /** Clears the recorded requests. */
  forget(): void;
  /** Replaces the script; without one, only the samples respond. */
  follow(script?: Script): void;
}

/** A registry with the samples and the delay of a network: no response comes at once. */
export function scriptedUpstream(first?: Script): Upstream {
  const samples = createSampleRegistry();
  let script = first;
  const asked: string[] = [];
  const probed: string[] = [];
  const carried: (string | null)[] = [];
  return {
    asked,
    probed,
    carried,
    forget: () => {
      asked.length = 0;
      carried.length = 0;
      probed.length = 0;
    },
    follow: (next) => {
      script = next;
    },
    fetch: async (href, init) => {
      const url = new URL(href);
      const request = new Request(href, init);
      const own = url.origin === upstreamUrl;
      const path = own ? `${url.pathname}${url.search}` : url.href;
      if (request.headers.get('range') === firstBytes) {
        probed.push(path);
      } else {
        asked.push(`${request.method} ${path}`);
        carried.push(request.headers.get('authorization'));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
      const scripted = await script?.(request, url);
      if (scripted) return request.method === 'HEAD' ? withoutBody(scripted) : scripted;
      if (!own) throw new TypeError('fetch failed');
      return samples.fetch(href, init);
    },
  };
}

function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}

/** An error in the form of the distribution spec. */
export function specError(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  message = 'as scripted',
): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers });
}

export const basicChallenge = 'Basic realm="registry.test"';

/** Lets requests with one of these values through, and challenges all others. */
export function privateTo(...authorizations: readonly string[]): Script {
  return (request, url) => {
    const brought = request.headers.get('authorization');
    if (url.origin !== upstreamUrl || (brought !== null && authorizations.includes(brought)))
      return undefined;
    return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
  };
}

const counted = createSampleRegistry();

/** Responds like Docker Hub: existing manifests carry the pull limit, and nothing else does. */
export const countingPulls: Script = async (request, { pathname }) => {
  if (!pathname.includes('/manifests/')) return undefined;
  const { method, headers } = request;
  const response = await counted.fetch(request.url, { method, headers });
  if (response.ok) response.headers.set('ratelimit-limit', '100;w=21600');
  return response;
};
