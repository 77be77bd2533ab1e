import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import type { Fetch } from '../../src/upstream/client.ts';
import { upstreamUrl } from './upstream-url.ts';

/** Answers a request itself, throws as `fetch` would, or leaves it to the samples. */
export type Script = (request: Request, url: URL) => Response | undefined | Promise<Response | undefined>;

export interface Upstream {
  readonly fetch: Fetch;
  /** `GET /v2/…` for what the registry was asked; of other hosts the whole URL. In order, never cleared. */
  readonly asked: readonly string[];
  /** The same requests with the Authorization that they carried. */
  readonly carried: readonly (string | null)[];
  /** Forgets what was asked so far. */
  forget(): void;
  /** What answers from now on; without one, the samples alone. */
  follow(script?: Script): void;
}

/** A registry with the samples in it, as far away as a registry is: no answer comes at once. */
export function scriptedUpstream(first?: Script): Upstream {
  const samples = createSampleRegistry();
  let script = first;
  const asked: string[] = [];
  const carried: (string | null)[] = [];
  return {
    asked,
    carried,
    forget: () => {
      asked.length = 0;
      carried.length = 0;
    },
    follow: (next) => {
      script = next;
    },
    fetch: async (href, init) => {
      const url = new URL(href);
      const request = new Request(href, init);
      const own = url.origin === upstreamUrl;
      asked.push(`${request.method} ${own ? `${url.pathname}${url.search}` : url.href}`);
      carried.push(request.headers.get('authorization'));
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

/** An error as the distribution spec writes it. */
export function specError(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  message = 'as scripted',
): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers });
}

export const basicChallenge = 'Basic realm="registry.test"';

/** Lets in who brings one of these values, and challenges all others. */
export function privateTo(...authorizations: readonly string[]): Script {
  return (request, url) => {
    const brought = request.headers.get('authorization');
    if (url.origin !== upstreamUrl || (brought !== null && authorizations.includes(brought)))
      return undefined;
    return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
  };
}
