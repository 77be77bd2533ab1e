import type { RepositoryName } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { isSpent } from '../../errors.ts';
import { isNotReadYet } from '../../layers/layer-service.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import { backgroundContext, type RequestContext } from '../../upstream/request-context.ts';
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

/** Lists that are prepared at once: each holds the credential of its request. */
const mostAtOnce = 4;
/** Maximum time of the work on one list, in milliseconds. What it has learned by then is kept. */
const longestMs = 600_000;
/** Time without a new attempt after one has failed, in milliseconds. */
const pauseMs = 60_000;

export function createWholeLists(options: WholeListsOptions): WholeLists {
  const { converter, countsPulls, background, clock } = options;
  const pauses = options.memory.table<number>('searches');
  /** Lists that were made here; the cache may have lost them since. */
  const made = options.memory.table<true>('searches');
  const inProgress = new Set<string>();

  /** Makes the list. The credential is in this piece of work alone, and goes with it. */
  async function prepare(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    key: string,
    context: RequestContext,
  ): Promise<void> {
    const pauseKey = pauseKeyOf(key, context);
    const over = new AbortController();
    const limit = setTimeout(() => over.abort(new Error('a list took too long')), longestMs);
    try {
      const own = { ...context, signal: over.signal };
      const { complete } = await converter.convertInBackground(repository, recipe, own);
      // A manifest that upstream does not have now, or not for this login, may come.
      if (complete) made.set(key, true);
      else pauses.set(pauseKey, clock() + pauseMs);
    } catch (error) {
      // A new request has a new budget.
      if (!isSpent(error)) pauses.set(pauseKey, clock() + pauseMs);
    } finally {
      clearTimeout(limit);
      over.abort();
    }
  }

  function start(repository: RepositoryName, recipe: ManifestRecipe, context: RequestContext): void {
    const key = converter.productKey(repository, recipe);
    const isPaused = (pauses.get(pauseKeyOf(key, context)) ?? 0) > clock();
    if (isPaused || countsPulls(context) || inProgress.has(key) || inProgress.size >= mostAtOnce) return;
    inProgress.add(key);
    background(
      prepare(repository, recipe, key, backgroundContext(context)).finally(() => inProgress.delete(key)),
    );
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
    return again.catch(unlessUnread);
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
      if (derived === undefined) start(repository, whole, context);
      return derived;
    },
  };
}

/** A refusal or failure concerns the credential of one request: others try for themselves. */
function pauseKeyOf(key: string, { credential }: RequestContext): string {
  return `${key} ${credentialKey(credential)}`;
}

function unlessUnread(error: unknown): undefined {
  if (isNotReadYet(error)) return undefined;
  throw error;
}
