import type { RepositoryName } from '../../../converters/reference.ts';
import { requireLogin } from '../../auth/client-auth.ts';
import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { type Named, renameScope } from '../../routing/repository-names.ts';
import type { Door } from '../../routing/virtual-hosts.ts';
import { readingScope } from '../../upstream/auth/scope.ts';
import { refuseMethod } from '../middleware/push-policy.ts';
import { parsePath, type RepositoryResource } from '../params.ts';
import { answerFor, noRoute, type Site } from '../route.ts';
import { answerBlob } from './blobs.ts';
import { answerCatalog } from './catalog.ts';
import { answerManifest } from './manifests.ts';
import { answerPing } from './ping.ts';
import { answerReferrers } from './referrers.ts';
import { answerTags } from './tags.ts';
import { answerToken } from './token.ts';
import { continueUpload, startUpload } from './uploads.ts';
import { deleteBlob, deleteManifest, putManifest } from './writes.ts';

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
  await requireLogin(first.clientAuth, request);
  const resource = parsePath(request.url.pathname);
  request.notes.resource = resource.kind;
  if (!('name' in resource)) refuseMethod(request.method, resource, false);
  const ns = request.url.searchParams.get('ns') ?? undefined;
  switch (resource.kind) {
    case 'token':
      return answerFor(first, request, undefined, (own) =>
        answerToken(first.tokenRelay, own, clock, (scope) => upstreamScope(door, scope)),
      );
    case 'catalog':
      return answerCatalog(door, request);
    case 'ping':
      return answerFor(first, request, undefined, (own) =>
        answerPing(first.route.pinger, own, first.login === 'passthrough'),
      );
    default: {
      const found = door.find({ name: resource.name, ns });
      if (found === undefined) throw noRoute(resource.name);
      const { route: site, named } = found;
      refuseMethod(request.method, resource, site.route.takesPushes);
      const sameRoute = (name: RepositoryName) => {
        const other = door.find({ name, ns });
        return other?.route === site ? other.named.upstream : undefined;
      };
      return answerFor(site, request, named, (own) => answerNamed(site, own, resource, named, sameRoute));
    }
  }
}

/**
 * Clients ask for a token for the name that they know, alone; `ns` is not said again. What no route has needs none,
 * and where nothing can be pushed, a token to push with would be of no use.
 */
function upstreamScope(door: Door<Site>, scope: string): string | undefined {
  const [ns] = door.routes.flatMap(({ match }) => match.ns);
  let { takesPushes } = door.routes[0].route;
  const renamed = renameScope(scope, (name) => {
    const found = door.find({ name, ns: undefined }) ?? door.find({ name, ns });
    takesPushes = found?.route.route.takesPushes ?? false;
    return found?.named.upstream;
  });
  return renamed && (takesPushes ? renamed : readingScope(renamed));
}

async function answerNamed(
  { route }: Site,
  request: ClientRequest,
  resource: RepositoryResource,
  named: Named,
  sameRoute: (name: RepositoryName) => RepositoryName | undefined,
): Promise<Response> {
  const { upstream: name } = named;
  const { method } = request;
  if (!route.serves(name)) {
    throw new Failure('NAME_UNKNOWN', `The repository ${name} is not served here.`);
  }
  switch (resource.kind) {
    case 'manifest':
      if (method === 'PUT') return putManifest(route, request, named, resource.reference);
      if (method === 'DELETE') return deleteManifest(route, request, named, resource.reference);
      return answerManifest(route, request, name, resource.reference);
    case 'blob':
      if (method === 'DELETE') return deleteBlob(route, request, named, resource.digest);
      return answerBlob(route, request, name, resource.digest);
    case 'uploads':
      return startUpload(route, request, named, sameRoute);
    case 'upload':
      return continueUpload(route, request, named, resource.upload);
    case 'referrers':
      return answerReferrers(route, request, named, resource.digest);
    case 'tags':
      return answerTags(route, request, named);
  }
}
