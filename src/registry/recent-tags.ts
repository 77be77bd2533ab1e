import { isTagOfDigest, type RepositoryName, type Tag } from '../../converters/reference.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import { ownText } from '../cache/memory-bytes.ts';
import type { RequestContext } from '../upstream/request-context.ts';

const perRepository = 50;

/** Tags that clients requested of this replica lately: a search for a digest begins with them. */
export interface RecentTags {
  record(repository: RepositoryName, tag: Tag): void;
  /** The most recent first. */
  of(repository: RepositoryName): readonly Tag[];
}

/**
 * Tags that clients requested by API v2 before they pull by API v1, which does not name the tag (Docker 1.4 and 1.5). The
 * response of API v1 has the tag in readable text, so each address gets its own alone.
 */
export interface RequestedTags {
  record(repository: RepositoryName, tag: Tag, context: Pick<RequestContext, 'requester'>): void;
  /** The most recent first. */
  of(repository: RepositoryName, context: Pick<RequestContext, 'requester'>): readonly Tag[];
}

export function createRequestedTags(memory: MemoryBudget): RequestedTags {
  const tags = createTagTable(memory);
  // The login by API v2 may be a token, and the one by API v1 is none.
  const key = (repository: RepositoryName, { requester }: Pick<RequestContext, 'requester'>) =>
    joinKey(repository, requester().address) as RepositoryName;
  return {
    record: (repository, tag, context) => tags.record(key(repository, context), tag),
    of: (repository, context) => tags.of(key(repository, context)),
  };
}

/** Remembers no tag of a digest: signatures would take the places of images in a search. */
export function createRecentTags(memory: MemoryBudget): RecentTags {
  const tags = createTagTable(memory);
  return {
    record(repository, tag) {
      if (!isTagOfDigest(tag)) tags.record(repository, tag);
    },
    of: tags.of,
  };
}

function createTagTable(memory: MemoryBudget): RecentTags {
  const repositories = memory.table<readonly Tag[]>('recent-tags');
  return {
    record(repository, tag) {
      const tags = repositories.get(repository) ?? [];
      if (tags[0] === tag) return;
      const others = tags.filter((each) => each !== tag).slice(0, perRepository - 1);
      // The tag may be a part of a long URL or list.
      repositories.set(repository, [ownText(tag), ...others]);
    },
    of: (repository) => repositories.get(repository) ?? [],
  };
}
