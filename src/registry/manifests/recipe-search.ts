import type { Digest } from '../../../converters/digest.ts';
import { formatPlatform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Background } from '../../concurrency/background.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import { isSpent, RegistryError } from '../../errors.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import { isAbsence, isRefused } from '../../upstream/error-response.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { createBoundedSearch } from '../bounded-search.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import {
  createSearchAllowance,
  maxFailedSearches,
  negativeMs,
  tooManyFailedSearches,
} from '../search-allowance.ts';
import type { ManifestConverter } from './converter.ts';
import type { Recipe } from './recipe.ts';
import type { SearchHints } from './recipe-candidates.ts';
import { type TagWalk, type TagWalkOptions, tryTags, walkTags } from './tag-walk.ts';

export interface RecipeSearchOptions extends TagWalkOptions {
  readonly converter: Pick<ManifestConverter, 'convert' | 'recipeOf'>;
  readonly versions: RepositoryVersions;
  /** The most images that are not cached and may be fetched and converted; 0 where upstream counts pulls. */
  readonly mostFetches: (context: RequestContext) => number;
  readonly background: Background;
  readonly memory: MemoryBudget;
  /** The line of all searches of the process. */
  readonly line: LeaseLine;
  /** The route's id. */
  readonly route: string;
}

/**
 * Finds the recipe of a digest that this replica does not know: another replica made it, or this one did so before a
 * restart. The search converts the images of tags until one has the digest. Its requests to upstream are bounded, so
 * that made-up digests cannot use up a pull quota.
 */
export interface RecipeSearch {
  /**
   * Searches with the credential of the request alone. @returns the recipe, or `undefined`.
   * @throws RegistryError OVERLOADED where too many searches run or wait.
   */
  find(
    repository: RepositoryName,
    digest: Digest,
    hints: SearchHints,
    context: RequestContext,
  ): Promise<Recipe | undefined>;
}

/**
 * The tags that a search with one credential resolved in a repository. For half a minute, a view tells where to look
 * for a digest; it gives no right to it.
 */
interface TagView extends Pick<TagWalk, 'sources'> {
  /** By the clock: when the search began. */
  readonly at: number;
}

export function createRecipeSearch(options: RecipeSearchOptions): RecipeSearch {
  const { converter, versions, clock, memory } = options;
  const misses = memory.table<number>('searches');
  const views = memory.table<TagView>('searches');
  const failedSearches = createSearchAllowance(maxFailedSearches, clock, memory);
  const failedPushSearches = createSearchAllowance(1, clock, memory);
  const searches = createBoundedSearch<Recipe | undefined>(options);

  /** The recipe of the digest, unless its root is known to be deleted. */
  async function recipeOf(
    repository: RepositoryName,
    digest: Digest,
    { deadRoot }: SearchHints,
    context: RequestContext,
  ) {
    const recipe = await converter.recipeOf(repository, digest, context);
    return recipe && recipe.root !== deadRoot ? recipe : undefined;
  }

  /**
   * Tries the tags; for a requester with too many failed searches, the tags that the last search with the same
   * credential resolved. The right to the recipe found is proved again in any case.
   */
  async function searchTags(
    own: Omit<TagWalk, 'sources' | 'mayFetch' | 'onFetch'>,
    state: string,
    at: number,
  ) {
    const { repository, context } = own;
    const viewKey = `${state} ${credentialKey(context.credential)}`;
    if (failedSearches.isUsed(state, context)) {
      const view = views.get(viewKey);
      if (view === undefined || clock() - view.at >= negativeMs) throw tooManyFailedSearches(repository);
      const { sources } = view;
      const again = { ...own, sources, mayFetch: () => false, onFetch: () => undefined };
      return tryTags(options, again, sources.keys()).catch((error: unknown) =>
        withoutContent(error, repository),
      );
    }
    let spent = 0;
    const sources = new Map<Tag, Digest | undefined>();
    // Evaluated at each image: whether upstream counts pulls may be known only after its response to the first HEAD.
    const mayFetch = () => options.mostFetches(context) > spent;
    const onFetch = () => {
      spent += 1;
    };
    const all = { ...own, sources, mayFetch, onFetch };
    const found = await walkTags(options, all);
    if (found) return found;
    views.set(viewKey, { at, sources });
    failedSearches.note(state, context);
    return undefined;
  }

  return {
    async find(repository, digest, hints, context) {
      const kind = `${formatPlatform(hints.platform)} ${hints.decompressZstd}`;
      const state = versions.current(repository);
      const missKey = `${state} ${digest} ${kind} ${credentialKey(context.credential)}`;
      const isMissed = () => (misses.get(missKey) ?? 0) > clock();
      const isPushDone = () => hints.mayBePush === true && failedPushSearches.isUsed(repository, context);
      if (isMissed() || isPushDone()) return undefined;
      const key = `${missKey} ${hints.deadRoot ?? ''} ${hints.mayBePush ?? false}`;
      return searches.run(key, repository, context, async (run) => {
        // An earlier search may have found it, or failed.
        const known = await recipeOf(repository, digest, hints, run.context);
        if (known || isMissed() || isPushDone()) return known;
        const at = clock();
        // Everyone can cause a doubtful write: it gives no more searches.
        const written = versions.written(repository);
        const found = await searchTags({ ...run, repository, digest, hints }, written, at);
        if (found) return found;
        misses.set(missKey, at + negativeMs);
        if (hints.mayBePush) failedPushSearches.note(repository, context);
        return undefined;
      });
    },
  };
}

/**
 * The end of a search without new proofs that upstream refuses, or cannot answer. Its words name content of the last
 * search, which the requester may have no right to any more.
 */
function withoutContent(error: unknown, repository: RepositoryName): undefined {
  if (isAbsence(error) || isRefused(error)) return undefined;
  if (error instanceof RegistryError && !isSpent(error)) throw tooManyFailedSearches(repository);
  throw error;
}
