import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { collectWithin } from '../../concurrency/collect-within.ts';
import { hasCode, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { isFaultOfImage } from '../../registry/faults-of-image.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import { tagConcurrency, type V1Found } from '../../registry/v1/search.ts';
import type { Route } from '../route.ts';
import { candidateRepositories, firstExisting } from './names.ts';
import { v1CacheControl, v1JsonResponse } from './responses.ts';
import { rootCookie } from './root-cookie.ts';

/** A tag names another image on another platform. */
const forPlatform = { Vary: 'User-Agent' } as const;

/** `GET /v1/repositories/<name>/tags/<tag>`: Docker from 1.8 on asks so. It looks at that tag only. */
export async function getV1Tag(
  { registry, log }: Route,
  request: ClientRequest,
  name: string,
  tag: Tag,
): Promise<Response> {
  return firstExisting(candidateRepositories(registry, request, name), async (repository) => {
    const asked = registry.v1.search.tagged(repository, tag, platformFor(registry, request), request.context);
    const found = await asked.catch((error: unknown) => {
      const gone = hasCode(error, 'MANIFEST_UNKNOWN');
      if (gone || !isFaultOfImage(error)) throw error;
      log('warn', 'tag left out of API v1', { repository, tag, reason: error.message });
      // At 404, Docker 1.8 and 1.9 say that the tag is not found. At another status they say that no registry can be
      // reached.
      const message = `${repository}:${tag} cannot be given to this Docker. ${error.message}`;
      throw new RegistryError('MANIFEST_UNKNOWN', message, { cause: error });
    });
    registry.v1.recentTags.record(repository, tag);
    const headers = { ...forPlatform, ...v1CacheControl(found), ...rootCookie(found.chain.root) };
    return v1JsonResponse(idOf(found), request, headers);
  });
}

/** `GET /v1/repositories/<name>/tags`: Docker up to 1.7, and `pull -a`, pick their tag from the list of all tags. */
export async function listV1Tags(route: Route, request: ClientRequest, name: string): Promise<Response> {
  const repositories = candidateRepositories(route.registry, request, name);
  return firstExisting(repositories, async (repository) => {
    const found = await imagesByTag(route, request, repository);
    const ids = Object.fromEntries([...found].map(([tag, each]) => [tag, idOf(each)]));
    const isPublic = [...found.values()].every((each) => each.public);
    return v1JsonResponse(ids, request, { ...forPlatform, ...v1CacheControl({ public: isPublic }) });
  });
}

function idOf({ chain }: V1Found): string {
  return chain.parts[0]?.id ?? '';
}

/** Docker up to 1.9 gives up a minute after the last byte. */
const milliseconds = 40_000;

/**
 * The image ids of all tags that answer in time. The log names the others.
 * @throws RegistryError if no tag answers; the signal's reason after the client has left.
 */
async function imagesByTag(
  { registry, log }: Route,
  request: ClientRequest,
  repository: RepositoryName,
): Promise<ReadonlyMap<Tag, V1Found>> {
  const { context } = request;
  const platform = platformFor(registry, request);
  const { search, tags } = registry.v1;
  const { tags: candidates, left } = await tags.toTry(repository, request.v1Context?.tag, context);
  const limits = { concurrency: tagConcurrency, milliseconds, signal: context.signal };
  const { results: found, errors: failed } = await collectWithin(candidates, limits, (tag, signal) =>
    search.tagged(repository, tag, platform, { ...context, signal }),
  );
  context.signal?.throwIfAborted();
  for (const [tag, error] of failed) {
    const reason = error instanceof Error ? error.message : String(error);
    log('warn', 'tag left out of API v1', { repository, tag, reason });
  }
  const late = candidates.length - found.size - failed.size;
  if (left + late > 0) {
    log('warn', 'not all tags are in an answer of API v1', { repository, given: found.size, late, left });
  }
  if (found.size === 0) throw nothingToGive(repository, [...failed.values()], late);
  return found;
}

/**
 * The error to report if no tag can be served. A failure of upstream, or of the client's right, explains more than a
 * fault of an image.
 */
function nothingToGive(repository: RepositoryName, failed: readonly unknown[], late: number): unknown {
  const reason = failed.find((error) => !isFaultOfImage(error)) ?? failed[0];
  if (reason !== undefined) return reason;
  return late > 0
    ? new RegistryError(
        'UPSTREAM_TIMEOUT',
        `Upstream takes too long to tell what the tags of ${repository} are.`,
      )
    : new RegistryError('NAME_UNKNOWN', `The repository ${repository} has no tags.`);
}
