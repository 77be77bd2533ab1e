import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { firstFound } from '../concurrency/first-found.ts';
import { Failure } from '../errors.ts';
import { listTags } from '../upstream/api/tags.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Caller } from '../upstream/request-context.ts';
import type { ServedTags } from './recent-tags.ts';
import type { Resolver } from './resolver.ts';
import { isAbsence } from './stored-blob.ts';

/** A caller's right to read an image of a repository. */
export interface ReadAccess {
  /** Upstream gives the image to anyone. */
  readonly public: boolean;
}

export interface ReadAccessParts {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly served: ServedTags;
}

/** Tags that upstream is asked about: served lately, and then of its list. A tag may name what was deleted. */
const mostTags = 3;

/**
 * Proves that the caller may read an image of the repository. Mostly the caller has just asked for one. Another replica
 * may have answered that: then upstream is asked for a tag.
 * @returns undefined where upstream has no such repository, or no image in it.
 * @throws Failure as upstream refuses.
 */
export async function proveReadAccess(
  { client, resolver, served }: ReadAccessParts,
  repository: RepositoryName,
  caller: Caller,
): Promise<ReadAccess | undefined> {
  const known = resolver.readAccess(repository, caller);
  if (known) return known;
  const resolve = (tag: Tag) =>
    resolver.resolve(repository, { kind: 'tag', tag }, caller).catch((error: unknown) => {
      if (isAbsence(error)) return undefined;
      throw error;
    });
  const recent = served.of(repository).slice(0, mostTags);
  const found = await firstFound(recent, 1, resolve);
  if (found) return found;
  const listed = await listTags(client, repository, mostTags, caller).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'NAME_UNKNOWN') return [];
    throw error;
  });
  return firstFound(
    listed.filter((tag) => !recent.includes(tag)),
    1,
    resolve,
  );
}
