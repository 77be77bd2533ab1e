import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { TakeTurn } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { Cache, CacheEntry } from '../../cache/cache.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { DerivedManifest } from './derived-manifest.ts';
import { isCurrent, type Recipe, recipeKey } from './recipe.ts';

export interface RecipeStoreOptions {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly cache: Cache;
  readonly turn: TakeTurn;
}

/** The recipes of derived content, by its digest. */
export interface RecipeStore {
  /** The recipe of a digest, if this replica or a shared cache has it. */
  recipeOf(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<Recipe | undefined>;
  /** The recipe of a digest, if this replica has it in memory. */
  cachedRecipe(repository: RepositoryName, digest: Digest): Recipe | undefined;
  /** Whether a shared cache should have the recipe, and is not known to. Sends no request. */
  needsRepublish(repository: RepositoryName, digest: Digest): boolean;
  /** Puts all recipes of a product. */
  putAll(repository: RepositoryName, derived: DerivedManifest, context: RequestContext): Promise<void>;
  /**
   * Puts the recipes back where they are not all there: a cache may drop them and keep the product, and the last recipes
   * may be of another root, which may be deleted by now.
   */
  restore(repository: RepositoryName, derived: DerivedManifest, context: RequestContext): Promise<void>;
}

/** Recipes that are written at the same time. An index of a thousand images has three thousand. */
const concurrentRecipes = 50;

/** The work on one recipe, in bytes of a document: a shared cache signs and encodes it. */
const recipeBytes = 500;

export function createRecipeStore({ upstream, cache, turn }: RecipeStoreOptions): RecipeStore {
  async function recipeOf(repository: RepositoryName, digest: Digest, { budget }: RequestContext) {
    return recipeIn(await cache.get(recipeKey(upstream, repository, digest), budget));
  }

  function cachedRecipe(repository: RepositoryName, digest: Digest): Recipe | undefined {
    return recipeIn(cache.getLocal?.(recipeKey(upstream, repository, digest)));
  }

  function needsRepublish(repository: RepositoryName, digest: Digest): boolean {
    return cache.lacks?.(recipeKey(upstream, repository, digest)) ?? false;
  }

  async function putAll(
    repository: RepositoryName,
    { recipes }: DerivedManifest,
    { budget }: RequestContext,
  ): Promise<void> {
    const none = new Uint8Array();
    await mapBounded(recipes, concurrentRecipes, async ([digest, recipe]) => {
      await turn(recipeBytes);
      await cache.set(recipeKey(upstream, repository, digest), { facts: { recipe }, body: none }, budget);
    });
  }

  async function hasAll(
    repository: RepositoryName,
    { recipes }: DerivedManifest,
    context: RequestContext,
  ): Promise<boolean> {
    for (const [digest, { root }] of recipes) {
      const known = cachedRecipe(repository, digest) ?? (await recipeOf(repository, digest, context));
      if (known?.root !== root || needsRepublish(repository, digest)) return false;
    }
    return true;
  }

  return {
    recipeOf,
    cachedRecipe,
    needsRepublish,
    putAll,
    async restore(repository, derived, context) {
      if (!(await hasAll(repository, derived, context))) await putAll(repository, derived, context);
    },
  };
}

function recipeIn(entry: CacheEntry | undefined): Recipe | undefined {
  const recipe = entry?.facts.recipe as Recipe | undefined;
  return recipe && isCurrent(recipe) ? recipe : undefined;
}
