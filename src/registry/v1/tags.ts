import { sha256Hex } from '../../../converters/digest.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { joinKey } from '../../cache/key.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import { allTags } from '../../upstream/api/tags.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { AccessEpoch, AccessEpochs } from '../access-epochs.ts';
import type { RecentTags } from '../recent-tags.ts';
import type { RepositoryVersions } from '../repository-versions.ts';

export interface V1TagsOptions {
  /** Seconds for which a list may be used again, by the same credential. */
  readonly ttl: number;
  readonly clock: Clock;
  readonly client: UpstreamClient;
  readonly memory: MemoryBudget;
  readonly versions: RepositoryVersions;
  readonly epochs: AccessEpochs;
  /** Tags that this replica served lately. */
  readonly recentTags: RecentTags;
  /** Tags that clients requested by API v2 and can only get by API v1 (Docker 1.4 and 1.5). */
  readonly requestedTags: RecentTags;
  /** The most tags of a repository's list that are tried. */
  readonly most: (context: RequestContext) => number;
}

/** The list that a credential got. */
interface Listed {
  readonly hash: string;
  /** The number of tags that upstream lists, of which the newest are kept. */
  readonly count: number;
  /** The time of the question, in milliseconds since the epoch. */
  readonly at: number;
  readonly epoch: AccessEpoch;
}

export interface TagsToTry {
  /** The most important ones first. */
  readonly tags: readonly Tag[];
  /** The number of tags that are left out. */
  readonly left: number;
}

/** Selects tags of a repository: a client of API v1 requests all of them, and there may be thousands. */
export interface V1Tags {
  /**
   * Tags that clients are known to want, then `latest` and the highest versions of upstream's list. The list's part is
   * the same for every replica, so that each finds the ids that another one sent.
   * @param wanted the tag that the client is known to want. @throws RegistryError as `listTags`.
   */
  toTry(repository: RepositoryName, wanted: Tag | undefined, context: RequestContext): Promise<TagsToTry>;
}

/** Tags that clients are known to want: more of them would only be more requests to upstream. */
const mostWanted = 10;
/**
 * The newest tags of a list that are kept. Registries list tags in alphabetical order, so the whole list is read to find
 * them. Sorting twice as many takes some 10 ms.
 */
const mostKept = 4_000;

export function createV1Tags(options: V1TagsOptions): V1Tags {
  const {
    client,
    memory,
    versions,
    epochs,
    recentTags,
    requestedTags: tagsForV1,
    most,
    ttl,
    clock,
  } = options;
  /** The lists by their hash, each as one text: ten thousand texts take five times the memory. */
  const texts = memory.table<string>('tag-lists');
  /** By credential: logins that see the same tags share one list. */
  const lists = memory.table<Listed>('tag-lists');

  /** The newest tags of the whole list, in memory for these and as many again. */
  async function newestTags(repository: RepositoryName, context: RequestContext) {
    let [newest, count]: [Tag[], number] = [[], 0];
    for await (const tags of allTags(client, repository, context)) {
      count += tags.length;
      for (const tag of tags) {
        newest.push(tag);
        if (newest.length === 2 * mostKept) newest = newestFirst(newest).slice(0, mostKept);
      }
    }
    return { tags: newestFirst(newest).slice(0, mostKept), count };
  }

  async function list(
    repository: RepositoryName,
    context: RequestContext,
  ): Promise<{ readonly tags: readonly Tag[]; readonly count: number }> {
    const { credential } = context;
    const whose = credentialKey(credential);
    const key = joinKey(versions.current(repository), whose);
    const known = lists.get(key);
    const isFresh = known && !known.epoch.hasEnded && clock() - known.at < ttl * 1000;
    const text = isFresh ? texts.get(known.hash) : undefined;
    // No tag has a space.
    if (isFresh && text !== undefined)
      return { tags: text === '' ? [] : (text.split(' ') as Tag[]), count: known.count };
    const at = clock();
    const { tags, count, epoch } = await epochs.ask(repository, whose, async () => ({
      ...(await newestTags(repository, context)),
      public: credential.kind === 'none',
    }));
    const found = tags.join(' ');
    const hash = sha256Hex(new TextEncoder().encode(found));
    texts.set(hash, found);
    lists.set(key, { hash, count, at, epoch });
    return { tags, count };
  }

  return {
    async toTry(repository, first, context) {
      const { tags: listed, count } = await list(repository, context);
      const existing = new Set(listed);
      // Of a longer list, the older tags are not known: they are tried.
      const mayExist = (tag: Tag) => existing.has(tag) || count > listed.length;
      const wanted = [...(first ? [first] : []), ...tagsForV1.of(repository), ...recentTags.of(repository)];
      const important = wanted.filter(mayExist).slice(0, mostWanted);
      const tags = [...new Set([...important, ...listed.slice(0, most(context))])];
      return { tags, left: Math.max(0, count - tags.length) };
    },
  };
}

/** Compares numbers in names as numbers: 1.10 is newer than 1.9. */
const collator = new Intl.Collator('en', { numeric: true });

export function newestFirst(tags: readonly Tag[]): Tag[] {
  const rank = (tag: Tag) => (tag === 'latest' ? 0 : 1);
  return tags.toSorted(
    (left, right) =>
      rank(left) - rank(right) || collator.compare(right, left) || (left < right ? 1 : left > right ? -1 : 0),
  );
}
