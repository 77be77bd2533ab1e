import { requireLogin } from '../../auth/client-auth.ts';
import { invalidSession, sessionRoute, withoutSession } from '../../client-state/v1-session.ts';
import { RegistryError } from '../../errors.ts';
import { type ClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { answerFor, type Route, unknownRepository } from '../route.ts';
import { getV1Image } from './images.ts';
import { belongsToPull, candidateNames } from './names.ts';
import { parseV1Path, type V1Resource } from './path.ts';
import { getV1Properties, getV1Repository } from './repository.ts';
import { listV1Images } from './repository-images.ts';
import { v1ErrorResponse, v1JsonResponse } from './responses.ts';
import { searchable, searchV1 } from './search.ts';
import { getV1Tag, listV1Tags } from './tags.ts';
import { checkV1Login } from './users.ts';

/**
 * Registry API v1, in which Docker 1.3 to 1.5 pull, and later ones up to 17.05 what they find by no other. A request
 * is for the route that its claim is of, or else for the one that has the repository which its path names.
 */
export async function answerV1(host: VirtualHost<Route>, request: ClientRequest): Promise<Response> {
  const claimed = claimedSite(host, request);
  const opened = claimed ? await claimed.v1Session.open(request) : withoutSession(request);
  // After the claim is opened: the login of a client may be in it.
  await requireLogin(host.routes[0].clientAuth, opened);
  const resources = parseV1Path(opened.url.pathname);
  const [route, mapping] = claimed ? [claimed, pulled(claimed, opened)] : siteNamed(host, resources);
  return answerFor(route, opened, mapping, (request) => answerResource(host, route, request, resources));
}

/** A claim of a route that is not here is opened by none: the first one says so. */
function claimedSite({ routes }: VirtualHost<Route>, request: ClientRequest): Route | undefined {
  const id = sessionRoute(request);
  return id === undefined ? undefined : (routes.find((each) => each.id === id) ?? routes[0]);
}

function pulled({ repositoryNames }: Route, { v1Context }: ClientRequest): RepositoryMapping | undefined {
  const upstream = v1Context?.repository;
  return (
    upstream && { upstream, client: repositoryNames.toClient(upstream) ?? upstream, prefix: '', rank: 0 }
  );
}

/** @throws RegistryError NAME_UNKNOWN where no route has the repository. */
function siteNamed(
  host: VirtualHost<Route>,
  resources: readonly V1Resource[],
): [Route, RepositoryMapping | undefined] {
  const texts = resources.flatMap((each) => ('name' in each ? [each.name] : []));
  for (const name of texts.flatMap(candidateNames)) {
    const found = host.find({ name, ns: undefined });
    if (found) return [found.route, found.mapping];
  }
  // What names no repository any route can answer, and a name that cannot be one.
  if (texts.flatMap(candidateNames).length === 0) return [host.routes[0], undefined];
  throw unknownRepository(texts[0] ?? '');
}

async function answerResource(
  host: VirtualHost<Route>,
  { registry: route, registryV1: registry }: Route,
  request: ClientRequest,
  resources: readonly V1Resource[],
): Promise<Response> {
  const resource = resources.find((each) => !('name' in each) || belongsToPull(route, request, each.name));
  // Not thrown: what is made of a refusal is about logins at upstream.
  if (!resource) return v1ErrorResponse(invalidSession('The token is of another repository'), request);
  request.notes.resource = `v1-${resource.kind}`;
  checkMethod(request, resource.kind === 'users');
  switch (resource.kind) {
    case 'ping':
      // Standalone: over HTTPS, Docker up to 1.9 then sends its login with every request.
      return v1JsonResponse({}, request, { 'X-Docker-Registry-Standalone': 'true' });
    case 'users':
      return checkV1Login(registry, request);
    case 'search':
      return searchV1(
        host.routes.map((each) => searchable(each.registry, withCredentialOf(request, each.login))),
        request,
      );
    case 'images':
      return listV1Images(registry, request, resource.name);
    case 'tags':
      return listV1Tags(registry, request, resource.name);
    case 'tag':
      return getV1Tag(registry, request, resource.name, resource.tag);
    case 'json':
      return getV1Repository(registry, request, resource.name);
    case 'properties':
      return getV1Properties(registry, request, resource.name);
    default:
      return getV1Image(registry, request, resource.kind, resource.id);
  }
}

function checkMethod({ method }: ClientRequest, mayPost: boolean): void {
  const allowed = mayPost ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
  if (allowed.includes(method)) return;
  throw new RegistryError('METHOD_NOT_ALLOWED', `${method} is not served here: regshift only reads.`, {
    headers: { Allow: allowed.join(', ') },
  });
}
