import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { firstFound } from '../concurrency/first-found.ts';
import { ignoring } from '../errors.ts';
import { listKnownTags } from '../upstream/api/tags.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { isAbsence } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { RecentTags } from './recent-tags.ts';
import type { Resolver } from './resolver.ts';

/** The right of a request to read an image of a repository. */
export interface ReadAccess {
  /** Upstream gives the image without a credential. */
  readonly public: boolean;
  /** By the clock: when upstream was asked for it. */
  readonly at: number;
}

export interface ReadAccessParts {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly recentTags: RecentTags;
}

/** Tags that are resolved: of those served lately, then of upstream's list. A tag may name a deleted manifest. */
const mostTags = 3;

/**
 * Proves that the request may read an image of the repository. Mostly the client has just requested one, which proves
 * it. If another replica served that, a tag is resolved.
 * @returns undefined if upstream has no such repository, or no image in it.
 * @throws RegistryError as upstream refuses.
 */
export async function proveReadAccess(
  { client, resolver, recentTags }: ReadAccessParts,
  repository: RepositoryName,
  context: RequestContext,
): Promise<ReadAccess | undefined> {
  const known = resolver.readAccess(repository, context);
  if (known) return known;
  const resolve = (tag: Tag) =>
    resolver.resolve(repository, { kind: 'tag', tag }, context).catch(ignoring(isAbsence));
  const recent = recentTags.of(repository).slice(0, mostTags);
  const found = await firstFound(recent, 1, resolve);
  if (found) return found;
  const listed = await listKnownTags(client, repository, mostTags, context);
  return firstFound(
    listed.filter((tag) => !recent.includes(tag)),
    1,
    resolve,
  );
}
