import { parseTag, type RepositoryName, type Tag } from '../../../converters/reference.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { isFaultOfImage } from '../../registry/faults-of-image.ts';
import { platformFor } from '../../registry/manifests/client-platform.ts';
import type { Registry } from '../../registry/registry.ts';
import { tagConcurrency, type V1Found } from '../../registry/v1/search.ts';

const latest = parseTag('latest') as Tag;

/**
 * Finds one image of the repository that this client can pull: the wanted tag first, then `latest`, then others. The
 * pull would ask for most of it anyway.
 * @returns undefined if none of the tags that it tries fits and there are more tags.
 * @throws RegistryError UNSUPPORTED with the reason if no tag fits; NAME_UNKNOWN.
 */
export async function anyImage(
  registry: Registry,
  request: ClientRequest,
  repository: RepositoryName,
): Promise<V1Found | undefined> {
  const { context } = request;
  const { search, tags, requestedTags } = registry.v1;
  const reasons = new Map<Tag, Error>();
  const look = async (tag: Tag): Promise<V1Found | undefined> => {
    try {
      const image = await search.tagged(repository, tag, platformFor(registry, request), context);
      // Docker 1.6 and 1.7 show the error of this request and of no later one, so a layer that is not read yet is
      // reported here.
      await search.ready(repository, image, context);
      return image;
    } catch (error) {
      if (!isFaultOfImage(error)) throw error;
      reasons.set(tag, error);
      return undefined;
    }
  };
  const wanted = request.v1Context?.tag ?? requestedTags.of(repository, context)[0];
  const likely = [...new Set([...(wanted ? [wanted] : []), latest])];
  const found = await firstFound(likely, 1, look);
  if (found) return found;
  const { tags: candidates, left } = await tags.toTry(repository, wanted, context);
  const rest = candidates.filter((tag) => !likely.includes(tag));
  const other = await firstFound(rest, tagConcurrency, look);
  if (other || left > 0) return other;
  throw noneOf(
    repository,
    candidates.flatMap((tag) => [[tag, reasons.get(tag)] as const]),
  );
}

function noneOf(
  repository: RepositoryName,
  [first, ...others]: readonly (readonly [Tag, Error | undefined])[],
): RegistryError {
  if (!first) return new RegistryError('NAME_UNKNOWN', `The repository ${repository} has no tags.`);
  const [tag, cause] = first;
  const all = others.length > 0 ? `, like its other tags (${others.length}),` : '';
  const message = `${repository}:${tag}${all} cannot be given to this Docker. ${cause?.message ?? ''}`;
  return new RegistryError('UNSUPPORTED', message.trim(), { cause });
}
