import { requireLogin } from '../../auth/client-auth.ts';
import { claimedRoute, refusedClaim, withoutClaims } from '../../client-state/v1-session.ts';
import { Failure } from '../../errors.ts';
import { type ClientRequest, inNameOf } from '../../registry/client-request.ts';
import type { Named } from '../../routing/repository-names.ts';
import type { Door } from '../../routing/virtual-hosts.ts';
import { answerFor, noRoute, type Site } from '../route.ts';
import { answerImage } from './images.ts';
import { isOfThePull, namesIn } from './names.ts';
import { parseV1Path, type V1Resource } from './path.ts';
import { answerProperties, answerRepositoryJson } from './repository.ts';
import { answerRepositoryImages } from './repository-images.ts';
import { jsonAnswer, v1ErrorAnswer } from './responses.ts';
import { answerSearch, searchable } from './search.ts';
import { answerTag, answerTags } from './tags.ts';
import { answerUsers } from './users.ts';

/**
 * Registry API v1, in which Docker 1.3 to 1.5 pull, and later ones up to 17.05 what they find by no other. A request
 * is for the route that its claim is of, or else for the one that has the repository which its path names.
 */
export async function answerV1(door: Door<Site>, request: ClientRequest): Promise<Response> {
  const claimed = claimedSite(door, request);
  const opened = claimed ? await claimed.claims.open(request) : withoutClaims(request);
  // After the claim is opened: the login of a client may be in it.
  await requireLogin(door.routes[0].clientAuth, opened);
  const resources = parseV1Path(opened.url.pathname);
  const [site, named] = claimed ? [claimed, pulled(claimed, opened)] : siteNamed(door, resources);
  return answerFor(site, opened, named, (request) => answerResource(door, site, request, resources));
}

/** A claim of a route that is not here is opened by none: the first one says so. */
function claimedSite({ routes }: Door<Site>, request: ClientRequest): Site | undefined {
  const id = claimedRoute(request);
  return id === undefined ? undefined : (routes.find((each) => each.id === id) ?? routes[0]);
}

function pulled({ names }: Site, { v1Context }: ClientRequest): Named | undefined {
  const upstream = v1Context?.repository;
  return upstream && { upstream, client: names.toClient(upstream) ?? upstream, prefix: '', rank: 0 };
}

/** @throws Failure NAME_UNKNOWN where no route has the repository. */
function siteNamed(door: Door<Site>, resources: readonly V1Resource[]): [Site, Named | undefined] {
  const texts = resources.flatMap((each) => ('name' in each ? [each.name] : []));
  for (const name of texts.flatMap(namesIn)) {
    const found = door.find({ name, ns: undefined });
    if (found) return [found.route, found.named];
  }
  // What names no repository any route can answer, and a name that cannot be one.
  if (texts.flatMap(namesIn).length === 0) return [door.routes[0], undefined];
  throw noRoute(texts[0] ?? '');
}

async function answerResource(
  door: Door<Site>,
  { route, registryV1: registry }: Site,
  request: ClientRequest,
  resources: readonly V1Resource[],
): Promise<Response> {
  const resource = resources.find((each) => !('name' in each) || isOfThePull(route, request, each.name));
  // Not thrown: what is made of a refusal is about logins at upstream.
  if (!resource) return v1ErrorAnswer(refusedClaim('The token is of another repository'), request);
  request.notes.resource = `v1-${resource.kind}`;
  checkMethod(request, resource.kind === 'users');
  switch (resource.kind) {
    case 'ping':
      // Standalone: over HTTPS, Docker up to 1.9 then sends its login with every request.
      return jsonAnswer({}, request, { 'X-Docker-Registry-Standalone': 'true' });
    case 'users':
      return answerUsers(registry, request);
    case 'search':
      return answerSearch(
        door.routes.map((each) => searchable(each.route, inNameOf(request, each.login))),
        request,
      );
    case 'images':
      return answerRepositoryImages(registry, request, resource.name);
    case 'tags':
      return answerTags(registry, request, resource.name);
    case 'tag':
      return answerTag(registry, request, resource.name, resource.tag);
    case 'json':
      return answerRepositoryJson(registry, request, resource.name);
    case 'properties':
      return answerProperties(registry, request, resource.name);
    default:
      return answerImage(registry, request, resource.kind, resource.id);
  }
}

function checkMethod({ method }: ClientRequest, mayPost: boolean): void {
  const allowed = mayPost ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
  if (allowed.includes(method)) return;
  throw new Failure('METHOD_NOT_ALLOWED', `${method} is not served here: regshift only reads.`, {
    headers: { Allow: allowed.join(', ') },
  });
}
