import { contextPath } from '../../client-state/v1-session.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Route } from '../route.ts';
import { anyImage } from './any-image.ts';
import { candidateRepositories, firstExisting } from './names.ts';
import { v1JsonResponse } from './responses.ts';
import { rootCookie } from './root-cookie.ts';

/**
 * `GET /v1/repositories/<name>/images` begins every pull. The response tells the client the endpoint and the token
 * for the rest of the pull. The list of images may be empty (seen with all daemons from 1.3.3 to 17.05).
 * @throws RegistryError UNSUPPORTED if this client can pull no image of the repository: Docker 1.6 and 1.7 show this
 *   message, and no later one.
 */
export async function listV1Images(
  { registry, v1Session }: Route,
  request: ClientRequest,
  name: string,
): Promise<Response> {
  return firstExisting(candidateRepositories(registry, request, name), async (repository) => {
    const image = await anyImage(registry, request, repository);
    const tag = registry.v1.requestedTags.of(repository, request.context)[0];
    const { context, token } = await v1Session.seal({ repository, tag }, request);
    // Docker adds the scheme before it and `/v1/` after it.
    const endpoint = `${request.address.replace(/^https?:\/\//, '')}${contextPath}${context}`;
    return v1JsonResponse([], request, {
      'X-Docker-Endpoints': endpoint,
      'X-Docker-Token': token,
      'Cache-Control': 'private, no-store',
      ...(image ? rootCookie(image.chain.root) : {}),
    });
  });
}
