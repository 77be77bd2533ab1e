import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { createLru } from '../../cache/lru.ts';
import type { Background } from '../../concurrency/background.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import { RegistryError } from '../../errors.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { createBoundedSearch, type SearchRun } from '../bounded-search.ts';
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

/** A chain that this caller may read. */
export interface V1Found {
  readonly chain: V1Chain;
  /** Upstream gives it to anyone. */
  readonly public: boolean;
}

/** What is known of a pull whose requests name an id and nothing else. */
export interface V1Hints {
  readonly platform: Platform;
  /** What the client was told that its image is made from. It need not be true: it only is tried first. */
  readonly root: Digest | undefined;
  readonly wanted: Tag | undefined;
}

export interface V1Search {
  /** Sees to it that the layers of a chain can be served. @throws RegistryError, with when to come back. */
  ready(repository: RepositoryName, found: V1Found, context: RequestContext): Promise<void>;
  /** What a tag names. @throws ConversionError; RegistryError. */
  tagged(repository: RepositoryName, tag: Tag, platform: Platform, context: RequestContext): Promise<V1Found>;
  /**
   * The image of the repository that an id is in, or undefined. What this process has seen comes first, then what
   * the client was told, then the tags that a client of API v1 is shown: whatever another replica has told a client
   * is found again. Each is opened by the caller's own right to it. @throws RegistryError.
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
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  /** The line of all searches of the process. */
  readonly line: LeaseLine;
  /** The route's id. */
  readonly route: string;
}

export const tagConcurrency = 6;

export function createV1Search(options: V1SearchOptions): V1Search {
  const { resolver, images, tags, versions, clock } = options;
  const misses = createLru<string, number>(10_000);
  const inVain = createSearchAllowance(maxFailedSearches, clock);
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
    const proof = await resolveRoot(resolver, repository, root, 'the image id in the request', context);
    return { chain: await chainOf(), public: proof.public };
  }

  async function known(repository: RepositoryName, id: string, hints: V1Hints, context: RequestContext) {
    const has = (found: V1Found | undefined) => (found && hasId(found.chain, id) ? found : undefined);
    const place = images.seen(repository, id);
    const seen =
      place && byRoot(repository, place.root, context, () => images.at(repository, place, context));
    const found = has(await seen?.catch(ignoreFaultOfImage));
    const { root, platform } = hints;
    if (found || root === undefined || root === place?.root) return found;
    const told = byRoot(repository, root, context, () => images.of(repository, root, platform, context));
    return has(await told.catch(ignoreFaultOfImage));
  }

  async function walk(repository: RepositoryName, id: string, hints: V1Hints, run: SearchRun) {
    const { context } = run;
    const { tags: candidates } = await tags.toTry(repository, hints.wanted, context);
    return firstFound(candidates, tagConcurrency, async (tag) => {
      run.step();
      const chain = run.during(tagged(repository, tag, hints.platform, context));
      const found = await chain.catch(ignoreFaultOfImage);
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
        // The search before may have come across it, or not.
        const met = images.seen(repository, id) && (await known(repository, id, hints, run.context));
        if (met || isMissed()) return met;
        if (inVain.isUsed(state, context)) throw tooManyFailedSearches(repository);
        const walked = await walk(repository, id, hints, run);
        if (walked) return walked;
        misses.set(missKey, clock() + negativeMs);
        inVain.note(state, context);
        return undefined;
      });
    },
  };
}

function hasId({ parts }: V1Chain, id: string): boolean {
  return parts.some((part) => part.id === id);
}

/** Whether an error is about one image for good; others are of the moment, or of the caller. */
export function isFaultOfImage(error: unknown): error is Error {
  if (error instanceof ConversionError) return true;
  const codes = ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'UPSTREAM_CONTENT', 'UNSIGNED'];
  return error instanceof RegistryError && codes.includes(error.code);
}

function ignoreFaultOfImage(error: unknown): undefined {
  if (isFaultOfImage(error)) return undefined;
  throw error;
}
