import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { parseTag } from '../../../converters/reference.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import { isFaultOfImage, tagConcurrency, type V1Found } from '../../derived/v1-search.ts';
import { Failure } from '../../errors.ts';
import { contextPath } from '../../v1-claims/claims.ts';
import { platformFor } from '../client-hints.ts';
import type { ClientRequest } from '../client-request.ts';
import { jsonAnswer } from './answer.ts';
import { firstKnown, repositoriesNamed } from './names.ts';
import type { RegistryV1 } from './registry.ts';
import { rootCookie } from './root-cookie.ts';

/**
 * `GET /v1/repositories/<name>/images`, with which every pull begins: tells the client where to go on, and what to
 * bring along. The list itself may be empty. @throws Failure UNSUPPORTED where this client can have no image at all.
 */
export async function answerRepositoryImages(
  registry: RegistryV1,
  request: ClientRequest,
  name: string,
): Promise<Response> {
  const found = await firstKnown(repositoriesNamed(registry.route, request, name), async (repository) => ({
    repository,
    image: await anyImage(registry, request, repository),
  }));
  const { repository, image } = found;
  const tag = registry.route.wanted.of(repository)[0];
  const { context, token } = await registry.claims.seal({ repository, tag }, request);
  return jsonAnswer([], request, {
    // Docker puts the scheme before it, and `/v1/` behind.
    'X-Docker-Endpoints': `${request.address.replace(/^https?:\/\//, '')}${contextPath}${context}`,
    'X-Docker-Token': token,
    'Cache-Control': 'private, no-store',
    ...(image ? rootCookie(image.chain.root) : {}),
  });
}

const latest = parseTag('latest') as Tag;

/**
 * An image of the repository that this client can have, the one that it wants or else `latest` before all others:
 * mostly no more is asked than will be asked anyway.
 * @returns undefined where there are more tags than are looked at, and none of those will do.
 * @throws Failure UNSUPPORTED with the reason where there is none; NAME_UNKNOWN.
 */
export async function anyImage(
  registry: RegistryV1,
  request: ClientRequest,
  repository: RepositoryName,
): Promise<V1Found | undefined> {
  const { route, search, tags } = registry;
  const reasons = new Map<Tag, Error>();
  const look = async (tag: Tag): Promise<V1Found | undefined> => {
    try {
      return await search.tagged(repository, tag, platformFor(route, request), request.caller);
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
      if (!isUnknownTag(error)) reasons.set(tag, error);
      return undefined;
    }
  };
  const wanted = request.v1Context?.tag ?? route.wanted.of(repository)[0];
  const likely = [...new Set([...(wanted ? [wanted] : []), latest])];
  const found = await firstFound(likely, 1, look);
  if (found) return found;
  const { tags: candidates, left } = await tags.toTry(repository, wanted, request.caller);
  const rest = candidates.filter((tag) => !likely.includes(tag));
  const other = await firstFound(rest, tagConcurrency, look);
  if (other || left > 0) return other;
  throw nothingFor(repository, reasons);
}

/** Upstream does not have the tag: nothing is wrong with an image. */
function isUnknownTag(error: Error): boolean {
  return error instanceof Failure && error.code === 'MANIFEST_UNKNOWN';
}

function nothingFor(repository: RepositoryName, reasons: ReadonlyMap<Tag, Error>): Failure {
  const [reason] = reasons;
  if (!reason) return new Failure('NAME_UNKNOWN', `The repository ${repository} has no tags.`);
  const [tag, error] = reason;
  const others = reasons.size > 1 ? `, and none of its ${reasons.size - 1} other tags,` : '';
  return new Failure(
    'UNSUPPORTED',
    `${repository}:${tag}${others} cannot be given to this Docker. ${error.message}`,
    { cause: error },
  );
}
