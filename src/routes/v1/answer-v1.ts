import { Failure } from '../../errors.ts';
import { refusedClaim } from '../../v1-claims/claims.ts';
import type { ClientRequest } from '../client-request.ts';
import { jsonAnswer, v1ErrorAnswer } from './answer.ts';
import { answerImage } from './images.ts';
import { isOfThePull } from './names.ts';
import { parseV1Path } from './path.ts';
import type { RegistryV1 } from './registry.ts';
import { answerProperties, answerRepositoryJson } from './repository-facts.ts';
import { answerRepositoryImages } from './repository-images.ts';
import { answerSearch } from './search.ts';
import { answerTag, answerTags } from './tags.ts';
import { answerUsers } from './users.ts';

/** Registry API v1, in which Docker 1.3 to 1.5 pull, and later ones up to 17.05 what they find by no other. */
export async function answerV1(registry: RegistryV1, request: ClientRequest): Promise<Response> {
  const { route } = registry;
  const resources = parseV1Path(request.url.pathname);
  const resource = resources.find((each) => !('name' in each) || isOfThePull(route, request, each.name));
  // Not thrown: what the guard makes of that is about logins at upstream.
  if (!resource) return v1ErrorAnswer(refusedClaim('The token is of another repository'), request);
  checkMethod(request, resource.kind === 'users');
  switch (resource.kind) {
    case 'ping':
      // Standalone: over HTTPS, Docker up to 1.9 then sends its login with every request.
      return jsonAnswer({}, request, { 'X-Docker-Registry-Standalone': 'true' });
    case 'users':
      return answerUsers(registry, request);
    case 'search':
      return answerSearch(registry, request);
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
