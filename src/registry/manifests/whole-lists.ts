import type { RepositoryName } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { ignoring } from '../../errors.ts';
import { isNotReadYet } from '../../layers/unread.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { createBackgroundJobs } from '../background-jobs.ts';
import type { ManifestConverter } from './converter.ts';
import type { DerivedManifest } from './derived-manifest.ts';
import { type ManifestRecipe, wholeListRecipe } from './recipe.ts';

export interface WholeListsOptions {
  readonly converter: ManifestConverter;
  /** Whether upstream counts the pulls of this account, or is likely to. */
  readonly countsPulls: (context: RequestContext) => boolean;
  readonly memory: MemoryBudget;
  readonly background: Background;
  readonly clock: Clock;
}

/**
 * Lists of all platforms, for clients that need layers read. Such a list has two states. It is that of the client's
 * platform alone until the layers of every platform are known, and then the one list with all platforms.
 */
export interface WholeLists {
  /** The list of all platforms, if it is in memory. Sends no request. */
  inMemory(repository: RepositoryName, recipe: ManifestRecipe): DerivedManifest | undefined;
  /** Whether this replica knows the layers of all platforms. Sends no request. */
  isKnown(repository: RepositoryName, recipe: ManifestRecipe): boolean;
  /**
   * The list of all platforms, if this replica or a shared cache has it. If not, the layers of the other platforms are
   * read in the background with the right of this request, for a later one.
   */
  find(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest | undefined>;
}

/** Maximum time of the work on one list, in milliseconds. */
const longestMs = 600_000;

export function createWholeLists(options: WholeListsOptions): WholeLists {
  const { converter, countsPulls } = options;
  /** Lists that were made here; the cache may have lost them since. */
  const made = options.memory.table<true>('searches');
  const jobs = createBackgroundJobs({ ...options, longestMs });

  function prepare(repository: RepositoryName, recipe: ManifestRecipe, context: RequestContext): void {
    if (countsPulls(context) || context.mayFetch) return;
    const key = converter.productKey(repository, recipe);
    jobs.start(key, context, async (own) => {
      const { complete } = await converter.convertInBackground(repository, recipe, own);
      // A manifest that upstream does not have now, or not for this login, may come.
      if (complete) made.set(key, true);
      return complete;
    });
  }

  /** The list from caches; a list that was made here and is lost is made again, if its layers are still known. */
  async function known(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest | undefined> {
    const cached = await converter.knownProduct(repository, recipe, context);
    if (cached || !made.get(converter.productKey(repository, recipe))) return cached;
    const again = converter.convert(repository, recipe, { ...context, knownLayersOnly: true });
    return again.catch(ignoring(isNotReadYet));
  }

  return {
    inMemory: (repository, recipe) => converter.cachedProduct(repository, wholeListRecipe(recipe)),

    isKnown(repository, recipe) {
      const whole = wholeListRecipe(recipe);
      const isMade = made.get(converter.productKey(repository, whole)) === true;
      return isMade || converter.cachedProduct(repository, whole) !== undefined;
    },

    async find(repository, recipe, context) {
      const whole = wholeListRecipe(recipe);
      const derived = await known(repository, whole, context);
      if (derived === undefined) prepare(repository, whole, context);
      return derived;
    },
  };
}
