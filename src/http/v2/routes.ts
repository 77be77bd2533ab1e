import type { RepositoryName } from '../../../converters/reference.ts';
import { requireLogin } from '../../auth/client-auth.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { type RepositoryMapping, renameScope } from '../../routing/repository-names.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { readingScope } from '../../upstream/auth/scope.ts';
import { refuseMethod } from '../middleware/push-policy.ts';
import { parsePath, type RepositoryResource } from '../params.ts';
import { answerFor, type Route, unknownRepository } from '../route.ts';
import { getBlob } from './blobs.ts';
import { listCatalog } from './catalog.ts';
import { getManifestResponse } from './manifests.ts';
import { pingResponse } from './ping.ts';
import { listReferrers } from './referrers.ts';
import { listTagsOf } from './tags.ts';
import { tokenResponse } from './token.ts';
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
  host: VirtualHost<Route>,
  request: ClientRequest,
  clock: () => number,
): Promise<Response> {
  const [first] = host.routes;
  // Before all else: who is not let in learns not even whether a path exists.
  await requireLogin(first.clientAuth, request);
  const resource = parsePath(request.url.pathname);
  request.notes.resource = resource.kind;
  if (!('name' in resource)) refuseMethod(request.method, resource, false);
  const ns = request.url.searchParams.get('ns') ?? undefined;
  switch (resource.kind) {
    case 'token':
      return answerFor(first, request, undefined, (own) =>
        tokenResponse(first.tokenRelay, own, clock, (scope) => upstreamScope(host, scope)),
      );
    case 'catalog':
      return listCatalog(host, request);
    case 'ping':
      return answerFor(first, request, undefined, (own) =>
        pingResponse(first.registry.pinger, own, first.login === 'passthrough'),
      );
    default: {
      const found = host.find({ name: resource.name, ns });
      if (found === undefined) throw unknownRepository(resource.name);
      const { route, mapping } = found;
      refuseMethod(request.method, resource, route.registry.pushes.allowed);
      const sameRoute = (name: RepositoryName) => {
        const other = host.find({ name, ns });
        return other?.route === route ? other.mapping.upstream : undefined;
      };
      return answerFor(route, request, mapping, (own) =>
        answerNamed(route, own, resource, mapping, sameRoute),
      );
    }
  }
}

/**
 * Clients ask for a token for the name that they know, alone; `ns` is not said again. What no route has needs none,
 * and where nothing can be pushed, a token to push with would be of no use.
 */
function upstreamScope(host: VirtualHost<Route>, scope: string): string | undefined {
  const [ns] = host.routes.flatMap(({ match }) => match.ns);
  let takesPushes = host.routes[0].registry.pushes.allowed;
  const renamed = renameScope(scope, (name) => {
    const found = host.find({ name, ns: undefined }) ?? host.find({ name, ns });
    takesPushes = found?.route.registry.pushes.allowed ?? false;
    return found?.mapping.upstream;
  });
  return renamed && (takesPushes ? renamed : readingScope(renamed));
}

async function answerNamed(
  { registry }: Route,
  request: ClientRequest,
  resource: RepositoryResource,
  mapping: RepositoryMapping,
  sameRoute: (name: RepositoryName) => RepositoryName | undefined,
): Promise<Response> {
  const { upstream: name } = mapping;
  const { method } = request;
  if (!registry.serves(name)) {
    throw new RegistryError('NAME_UNKNOWN', `The repository ${name} is not served here.`);
  }
  switch (resource.kind) {
    case 'manifest':
      if (method === 'PUT') return putManifest(registry, request, mapping, resource.reference);
      if (method === 'DELETE') return deleteManifest(registry, request, mapping, resource.reference);
      return getManifestResponse(registry, request, name, resource.reference);
    case 'blob':
      if (method === 'DELETE') return deleteBlob(registry, request, mapping, resource.digest);
      return getBlob(registry, request, name, resource.digest);
    case 'uploads':
      return startUpload(registry, request, mapping, sameRoute);
    case 'upload':
      return continueUpload(registry, request, mapping, resource.upload);
    case 'referrers':
      return listReferrers(registry, request, mapping, resource.digest);
    case 'tags':
      return listTagsOf(registry, request, mapping);
  }
}
