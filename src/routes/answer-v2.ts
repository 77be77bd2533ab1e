import { requireLogin } from '../auth/client-auth.ts';
import { Failure } from '../errors.ts';
import type { Named } from '../routing/names.ts';
import type { Door } from '../routing/table.ts';
import { answerFor, noRoute, type Site } from '../site.ts';
import { answerBlob } from './blobs.ts';
import type { ClientRequest } from './client-request.ts';
import { answerManifest } from './manifests.ts';
import { parsePath, type Resource } from './path.ts';
import { answerPing } from './ping.ts';
import { answerTags } from './tags.ts';
import { answerToken } from './token.ts';

/**
 * Registry API v2: the path tells the resource, and one small file answers for each. What names no repository (the
 * ping, `/token`) is for the host as a whole. All routes behind it want the same login (config/route-rules.ts), so
 * that any of them can answer: either they pass logins through to one and the same upstream, or the proxy itself
 * asks who its clients are, or nobody does.
 * @param clock milliseconds since the epoch.
 */
export async function answerV2(
  door: Door<Site>,
  request: ClientRequest,
  clock: () => number,
): Promise<Response> {
  const [first] = door.routes;
  // Before all else: who is not let in learns not even whether a path exists.
  await requireLogin(first.clientAuth, request.headers);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Failure('METHOD_NOT_ALLOWED', `${request.method} is not served here: regshift only reads.`, {
      headers: { Allow: 'GET, HEAD' },
    });
  }
  const resource = parsePath(request.url.pathname);
  const ns = request.url.searchParams.get('ns') ?? undefined;
  switch (resource.kind) {
    case 'token':
      return answerFor(first, request, undefined, (own) =>
        answerToken(first.tokenRelay, own, clock, (name) => upstreamName(door, name)),
      );
    case 'ping':
      return answerFor(first, request, undefined, (own) =>
        answerPing(first.route.pinger, own, first.login === 'passthrough'),
      );
    default: {
      const found = door.find({ name: resource.name, ns });
      if (found === undefined) throw noRoute(resource.name);
      return answerFor(found.route, request, found.named, (own) =>
        answerNamed(found.route, own, resource, found.named),
      );
    }
  }
}

/** A question for a token says a repository's name alone; `ns` is not said again. */
function upstreamName(door: Door<Site>, name: Named['client']): Named['upstream'] | undefined {
  const [ns] = door.routes.flatMap(({ match }) => match.ns);
  return (door.find({ name, ns: undefined }) ?? door.find({ name, ns }))?.named.upstream;
}

async function answerNamed(
  { route }: Site,
  request: ClientRequest,
  resource: Exclude<Resource, { kind: 'token' | 'ping' }>,
  { upstream: name }: Named,
): Promise<Response> {
  if (!route.serves(name)) {
    throw new Failure('NAME_UNKNOWN', `The repository ${name} is not served here.`);
  }
  switch (resource.kind) {
    case 'manifest':
      return answerManifest(route, request, name, resource.reference);
    case 'blob':
      return answerBlob(route, request, name, resource.digest);
    case 'tags':
      return answerTags(route.client, request, name);
  }
}
