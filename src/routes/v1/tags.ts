import { mapBounded } from '../../../converters/concurrency.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { isFaultOfImage, tagConcurrency, type V1Found } from '../../derived/v1-search.ts';
import { Failure } from '../../errors.ts';
import { platformFor } from '../client-hints.ts';
import type { ClientRequest } from '../client-request.ts';
import { cacheRule, jsonAnswer } from './answer.ts';
import { firstKnown, repositoriesNamed } from './names.ts';
import type { RegistryV1 } from './registry.ts';
import { rootCookie } from './root-cookie.ts';

/** `GET /v1/repositories/<name>/tags/<tag>`, as Docker from 1.8 on asks: looks at that tag and at no other. */
export async function answerTag(
  registry: RegistryV1,
  request: ClientRequest,
  name: string,
  tag: Tag,
): Promise<Response> {
  const { route, search, log } = registry;
  return firstKnown(repositoriesNamed(route, request, name), async (repository) => {
    const asked = search.tagged(repository, tag, platformFor(route, request), request.caller);
    const found = await asked.catch((error: unknown) => {
      if (!isFaultOfImage(error)) throw error;
      log('warn', 'tag left out of API v1', { repository, tag, reason: error.message });
      // 1.8 and 1.9 then say that the tag is not found; of another status, that they reach no registry at all.
      throw new Failure('MANIFEST_UNKNOWN', `${repository}:${tag} cannot be given. ${error.message}`, { cause: error });
    });
    route.served.note(repository, tag);
    return jsonAnswer(idOf(found), request, {
      ...forPlatform,
      ...cacheRule(found),
      ...rootCookie(found.chain.root),
    });
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
    const found = await idsOfTags(registry, request, repository);
    const ids = Object.fromEntries([...found].map(([tag, each]) => [tag, idOf(each)]));
    const rule = cacheRule({ public: [...found.values()].every((each) => each.public) });
    return jsonAnswer(ids, request, { ...forPlatform, ...rule });
  });
}

const forPlatform = { Vary: 'User-Agent' } as const;

function idOf({ chain }: V1Found): string {
  return chain.parts[0]?.id ?? '';
}

/** Docker up to 1.9 gives up a minute after the last byte. */
const deadlineMs = 40_000;

/**
 * What can be found out in time; the rest is logged.
 * @throws Failure where nothing is found: why the first tag cannot be given.
 */
async function idsOfTags(registry: RegistryV1, request: ClientRequest, repository: RepositoryName) {
  const { route, search, tags, log } = registry;
  const { tags: candidates, left } = await tags.toTry(repository, request.v1Context?.tag, request.caller);
  const found = new Map<Tag, V1Found>();
  const failed = new Map<Tag, unknown>();
  const ended = new AbortController();
  const signals = [ended.signal, ...(request.caller.signal ? [request.caller.signal] : [])];
  const caller = { ...request.caller, signal: AbortSignal.any(signals) };
  const look = async (tag: Tag) => {
    if (caller.signal.aborted) return;
    const asked = search.tagged(repository, tag, platformFor(route, request), caller);
    await asked.then(
      (each) => found.set(tag, each),
      (error: unknown) => failed.set(tag, error),
    );
  };
  const timer = setTimeout(() => ended.abort(), deadlineMs);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  ended.signal.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([mapBounded(candidates, tagConcurrency, look), late]);
  clearTimeout(timer);
  for (const [tag, error] of failed) {
    const reason = error instanceof Error ? error.message : String(error);
    log('warn', 'tag left out of API v1', { repository, tag, reason });
  }
  const late_ = candidates.length - found.size - failed.size;
  if (left + late_ > 0) {
    log('warn', 'not all tags are in an answer of API v1', { repository, given: found.size, left, late: late_ });
  }
  const [[, reason] = []] = failed;
  if (found.size === 0 && reason !== undefined) throw reason;
  return found;
}
