import { sha256Hex } from '../../../converters/digest.ts';
import { isTagOfDigest, type RepositoryName, type Tag } from '../../../converters/reference.ts';
import { joinKey } from '../../cache/key.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import { bytesPerTurn } from '../../concurrency/work-turns.ts';
import { allTags } from '../../upstream/api/tags.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { AccessEpoch, AccessEpochs } from '../access-epochs.ts';
import type { RecentTags, RequestedTags } from '../recent-tags.ts';
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
  readonly requestedTags: RequestedTags;
  /** The most tags of a repository's list that are tried. */
  readonly most: (context: RequestContext) => number;
}

/** The list that a credential got. */
interface Listed {
  readonly hash: string;
  /** The number of tags that upstream lists, of which the newest are kept. */
  readonly count: number;
  /** The time of the question, by the clock. */
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
 * The newest tags of a list that are kept: as many as `REGSHIFT_V1_TAGS` may be. Registries list tags in alphabetical
 * order, so the whole list is read to find them.
 */
const mostKept = 10_000;

/** Tags that are sorted at once, which takes some 20 ms for tags of 128 characters. */
const sortedAtOnce = 4_000;

export function createV1Tags(options: V1TagsOptions): V1Tags {
  const { client, memory, versions, epochs, recentTags, requestedTags, most, ttl, clock } = options;
  /** The lists by their hash, each as one text: ten thousand texts take five times the memory. */
  const texts = memory.table<string>('tag-lists');
  /** By credential: logins that see the same tags share one list. */
  const lists = memory.table<Listed>('tag-lists');

  /** The newest tags of the whole list, with a turn of the event loop for each part that is sorted. */
  async function newestTags(repository: RepositoryName, context: RequestContext) {
    let [kept, pending, count]: [Tag[], Tag[], number] = [[], [], 0];
    const sort = async () => {
      const part = pending;
      pending = [];
      await client.turn?.(bytesPerTurn);
      const sorted = newestFirst(part);
      await client.turn?.(bytesPerTurn);
      kept = merged(kept, sorted).slice(0, mostKept);
    };
    for await (const tags of allTags(client, repository, context)) {
      count += tags.length;
      for (const tag of tags) pending.push(tag);
      if (pending.length >= sortedAtOnce) await sort();
    }
    await sort();
    return { tags: kept, count };
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
    const hash = sha256Hex(found);
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
      const wanted = [
        ...(first ? [first] : []),
        ...requestedTags.of(repository, context),
        ...recentTags.of(repository),
      ];
      const important = wanted.filter(mayExist).slice(0, mostWanted);
      const tags = [...new Set([...important, ...listed.slice(0, most(context))])];
      return { tags, left: Math.max(0, count - tags.length) };
    },
  };
}

/** Compares numbers in names as numbers: 1.10 is newer than 1.9. Its data takes 3 MiB, so the first list makes it. */
let collator: Intl.Collator | undefined;

function byAge(left: Tag, right: Tag): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  const rank = (tag: Tag) => (tag === 'latest' ? 0 : isTagOfDigest(tag) ? 2 : 1);
  return (
    rank(left) - rank(right) || collator.compare(right, left) || (left < right ? 1 : left > right ? -1 : 0)
  );
}

export function newestFirst(tags: readonly Tag[]): Tag[] {
  return tags.toSorted(byAge);
}

/** Two lists of tags, each the newest first, as one. */
function merged(left: readonly Tag[], right: readonly Tag[]): Tag[] {
  const all: Tag[] = [];
  let [of, at] = [0, 0];
  for (;;) {
    const [one, other] = [left[of], right[at]];
    if (one === undefined) return all.concat(right.slice(at));
    if (other === undefined) return all.concat(left.slice(of));
    if (byAge(one, other) <= 0) {
      all.push(one);
      of += 1;
    } else {
      all.push(other);
      at += 1;
    }
  }
}
