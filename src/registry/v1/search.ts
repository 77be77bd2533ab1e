import type { Digest } from '../../../converters/digest.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import { ignoring } from '../../errors.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { createBoundedSearch, type SearchRun } from '../bounded-search.ts';
import { isFaultOfImage } from '../faults-of-image.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import { resolveRoot } from '../resolve-root.ts';
import type { Resolver } from '../resolver.ts';
import {
  createSearchAllowance,
  maxFailedSearches,
  negativeMs,
  tooManyFailedSearches,
} from '../search-allowance.ts';
import type { V1Chain, V1Images } from './images.ts';
import type { V1Tags } from './tags.ts';

/** A chain that the request may read. */
export interface V1Found {
  readonly chain: V1Chain;
  /** Upstream gives it without a credential. */
  readonly public: boolean;
}

/** Facts of a pull whose requests name an id and nothing else. */
export interface V1Hints {
  readonly platform: Platform;
  /** The root in the client's cookie. It need not be true: it is only tried first. */
  readonly root: Digest | undefined;
  readonly wanted: Tag | undefined;
}

export interface V1Search {
  /** Makes the layers of a chain ready to be served. @throws RegistryError; with `Retry-After` if that takes long. */
  ready(repository: RepositoryName, found: V1Found, context: RequestContext): Promise<void>;
  /** The chain of a tag. @throws ConversionError; RegistryError. */
  tagged(repository: RepositoryName, tag: Tag, platform: Platform, context: RequestContext): Promise<V1Found>;
  /**
   * The chain of the repository that an id is in, or undefined. The position where this process has seen the id is
   * tried first, then the root in the client's cookie, then the tags that a client of API v1 gets: so an id that
   * another replica sent is found again. Each needs the request's own right to it. @throws RegistryError.
   */
  withId(
    repository: RepositoryName,
    id: string,
    hints: V1Hints,
    context: RequestContext,
  ): Promise<V1Found | undefined>;
}

export interface V1SearchOptions {
  readonly resolver: Resolver;
  readonly images: V1Images;
  readonly tags: V1Tags;
  readonly versions: RepositoryVersions;
  readonly clock: Clock;
  readonly background: Background;
  readonly memory: MemoryBudget;
  /** The line of all searches of the process. */
  readonly line: LeaseLine;
  /** The route's id. */
  readonly route: string;
}

export const tagConcurrency = 6;

/** A search goes on after the fault of one image. */
const ignoreFault = ignoring(isFaultOfImage);

export function createV1Search(options: V1SearchOptions): V1Search {
  const { resolver, images, tags, versions, clock, memory } = options;
  const misses = memory.table<number>('searches');
  const failedSearches = createSearchAllowance(maxFailedSearches, clock, memory);
  const searches = createBoundedSearch<V1Found | undefined>(options);

  async function tagged(repository: RepositoryName, tag: Tag, platform: Platform, context: RequestContext) {
    const proof = await resolver.resolve(repository, { kind: 'tag', tag }, context);
    return { chain: await images.of(repository, proof.digest, platform, context), public: proof.public };
  }

  async function byRoot(
    repository: RepositoryName,
    root: Digest,
    context: RequestContext,
    chainOf: () => Promise<V1Chain>,
  ) {
    const proof = await resolveRoot(
      resolver,
      repository,
      root,
      'manifest behind the image id in the request',
      context,
    );
    return { chain: await chainOf(), public: proof.public };
  }

  async function known(repository: RepositoryName, id: string, hints: V1Hints, context: RequestContext) {
    const has = (found: V1Found | undefined) => (found && hasId(found.chain, id) ? found : undefined);
    const position = images.seen(repository, id);
    const seen =
      position && byRoot(repository, position.root, context, () => images.at(repository, position, context));
    const found = has(await seen?.catch(ignoreFault));
    const { root, platform } = hints;
    if (found || root === undefined || root === position?.root) return found;
    const named = byRoot(repository, root, context, () => images.of(repository, root, platform, context));
    return has(await named.catch(ignoreFault));
  }

  async function searchTags(repository: RepositoryName, id: string, hints: V1Hints, run: SearchRun) {
    const { context } = run;
    const { tags: candidates } = await tags.toTry(repository, hints.wanted, context);
    return firstFound(candidates, tagConcurrency, async (tag) => {
      run.step();
      const chain = run.during(tagged(repository, tag, hints.platform, context));
      const found = await chain.catch(ignoreFault);
      return found && hasId(found.chain, id) ? found : undefined;
    });
  }

  return {
    tagged,
    ready: (repository, { chain }, context) => images.ready(repository, chain, context),
    async withId(repository, id, hints, context) {
      const found = await known(repository, id, hints, context);
      if (found) return found;
      const platform = formatPlatform(hints.platform);
      const state = versions.current(repository);
      const missKey = `${state} ${id} ${platform} ${credentialKey(context.credential)}`;
      const isMissed = () => (misses.get(missKey) ?? 0) > clock();
      if (isMissed()) return undefined;
      return searches.run(missKey, repository, context, async (run) => {
        // An earlier search may have found it, or failed.
        const found = images.seen(repository, id) && (await known(repository, id, hints, run.context));
        if (found || isMissed()) return found;
        // Everyone can cause a doubtful write: it gives no more searches.
        const written = versions.written(repository);
        if (failedSearches.isUsed(written, context)) throw tooManyFailedSearches(repository);
        const at = clock();
        const searched = await searchTags(repository, id, hints, run);
        if (searched) return searched;
        misses.set(missKey, at + negativeMs);
        failedSearches.note(written, context);
        return undefined;
      });
    },
  };
}

function hasId({ parts }: V1Chain, id: string): boolean {
  return parts.some((part) => part.id === id);
}
