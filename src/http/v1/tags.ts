import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { gather } from '../../concurrency/collect-within.ts';
import { Failure } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import { isFaultOfImage, tagConcurrency, type V1Found } from '../../registry/v1/search.ts';
import { firstKnown, repositoriesNamed } from './names.ts';
import { cacheRule, jsonAnswer } from './responses.ts';
import { rootCookie } from './root-cookie.ts';

/** The same tag is another image on another platform. */
const forPlatform = { Vary: 'User-Agent' } as const;

/** `GET /v1/repositories/<name>/tags/<tag>`, as Docker from 1.8 on asks: looks at that tag and at no other. */
export async function answerTag(
  { route, search, log }: RegistryV1,
  request: ClientRequest,
  name: string,
  tag: Tag,
): Promise<Response> {
  return firstKnown(repositoriesNamed(route, request, name), async (repository) => {
    const asked = search.tagged(repository, tag, platformFor(route, request), request.caller);
    const found = await asked.catch((error: unknown) => {
      const gone = error instanceof Failure && error.code === 'MANIFEST_UNKNOWN';
      if (gone || !isFaultOfImage(error)) throw error;
      log('warn', 'tag left out of API v1', { repository, tag, reason: error.message });
      // 1.8 and 1.9 then say that the tag is not found; of another status, that they reach no registry at all.
      const message = `${repository}:${tag} cannot be given to this Docker. ${error.message}`;
      throw new Failure('MANIFEST_UNKNOWN', message, { cause: error });
    });
    route.served.note(repository, tag);
    const headers = { ...forPlatform, ...cacheRule(found), ...rootCookie(found.chain.root) };
    return jsonAnswer(idOf(found), request, headers);
  });
}

/** `GET /v1/repositories/<name>/tags`: Docker up to 1.7, and `pull -a`, take the tag they want from all of them. */
export async function answerTags(
  registry: RegistryV1,
  request: ClientRequest,
  name: string,
): Promise<Response> {
  const repositories = repositoriesNamed(registry.route, request, name);
  return firstKnown(repositories, async (repository) => {
    const found = await imagesByTag(registry, request, repository);
    const ids = Object.fromEntries([...found].map(([tag, each]) => [tag, idOf(each)]));
    const isPublic = [...found.values()].every((each) => each.public);
    return jsonAnswer(ids, request, { ...forPlatform, ...cacheRule({ public: isPublic }) });
  });
}

function idOf({ chain }: V1Found): string {
  return chain.parts[0]?.id ?? '';
}

/** Docker up to 1.9 gives up a minute after the last byte. */
const milliseconds = 40_000;

/** What can be found out in time; the rest is logged. @throws Failure where that is nothing. */
async function imagesByTag(
  { route, search, tags, log }: RegistryV1,
  request: ClientRequest,
  repository: RepositoryName,
): Promise<ReadonlyMap<Tag, V1Found>> {
  const { caller } = request;
  const platform = platformFor(route, request);
  const { tags: candidates, left } = await tags.toTry(repository, request.v1Context?.tag, caller);
  const limits = { concurrency: tagConcurrency, milliseconds, signal: caller.signal };
  const { found, failed } = await gather(candidates, limits, (tag, signal) =>
    search.tagged(repository, tag, platform, { ...caller, signal }),
  );
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

/** What is wrong with upstream, or with the caller's right, explains more than what is wrong with an image. */
function nothingToGive(repository: RepositoryName, failed: readonly unknown[], late: number): unknown {
  const reason = failed.find((error) => !isFaultOfImage(error)) ?? failed[0];
  if (reason !== undefined) return reason;
  return late > 0
    ? new Failure('UPSTREAM_TIMEOUT', `Upstream takes too long to tell what the tags of ${repository} are.`)
    : new Failure('NAME_UNKNOWN', `The repository ${repository} has no tags.`);
}
