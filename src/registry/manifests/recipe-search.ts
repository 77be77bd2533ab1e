import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import { formatPlatform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { Clock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import { hasCode, ignoring, isSpent, RegistryError } from '../../errors.ts';
import { listKnownTags } from '../../upstream/api/tags.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { isAbsence, isRefused } from '../../upstream/error-response.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { Purpose, Resolution } from '../../upstream/resolution.ts';
import { createBoundedSearch, type SearchRun } from '../bounded-search.ts';
import type { ContentStore } from '../content-store.ts';
import type { RecentTags } from '../recent-tags.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import type { Resolver } from '../resolver.ts';
import {
  createSearchAllowance,
  maxFailedSearches,
  negativeMs,
  tooManyFailedSearches,
} from '../search-allowance.ts';
import type { ManifestConverter } from './converter.ts';
import type { PlatformSelector } from './platform-selector.ts';
import { type ManifestRecipe, type Recipe, wholeListRecipe } from './recipe.ts';
import { ignoreUnusable, recipesFor, type SearchHints } from './recipe-candidates.ts';

export interface RecipeSearchOptions {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly content: ContentStore;
  readonly converter: ManifestConverter;
  readonly platformSelector: PlatformSelector;
  readonly recentTags: RecentTags;
  readonly versions: RepositoryVersions;
  /** The most tags that are resolved by HEAD. */
  readonly mostTags: number;
  /** The most images that are not cached and may be fetched and converted; 0 where upstream counts pulls. */
  readonly mostFetches: (context: RequestContext) => number;
  readonly clock: Clock;
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

const headConcurrency = 6;

/** Tags whose layers are looked at by their first bytes in one search. */
const mostProbedTags = 8;

/** One search, and the tags that it has resolved. */
interface Walk extends SearchRun {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly hints: SearchHints;
  /** The digest of each tag, resolved once in a search whatever the TTL is; in the order of the requests. */
  readonly sources: Map<Tag, Digest | undefined>;
  /** Whether one more image that is not cached may be fetched. */
  readonly mayFetch: () => boolean;
  readonly onFetch: () => void;
}

/**
 * The tags that a search with one credential resolved in a repository. For half a minute, a view tells where to look
 * for a digest; it gives no right to it.
 */
interface TagView extends Pick<Walk, 'sources'> {
  /** By the clock: when the search began. */
  readonly at: number;
}

export function createRecipeSearch(options: RecipeSearchOptions): RecipeSearch {
  const { resolver, converter, recentTags, versions, clock, memory } = options;
  const misses = memory.table<number>('searches');
  const views = memory.table<TagView>('searches');
  const failedSearches = createSearchAllowance(maxFailedSearches, clock, memory);
  const failedPushSearches = createSearchAllowance(1, clock, memory);
  const searches = createBoundedSearch<Recipe | undefined>(options);

  /** Tries the tags as upstream has them now. */
  async function walk(walk: Walk): Promise<Recipe | undefined> {
    const { repository, sources, context } = walk;
    const began = clock();
    const remembered: Tag[] = [];
    const resolveTag = async (tag: Tag) => {
      if (sources.has(tag) || sources.size >= options.mostTags) return;
      sources.set(tag, undefined);
      const found = await sourceOf(resolver, repository, tag, context);
      sources.set(tag, found?.digest);
      if (found && found.at < began) remembered.push(tag);
    };
    const tryOne = (tag: Tag) => tryTag(options, walk, tag);
    // Another replica may have asked for a tag after it moved, and named the digest then.
    const tryMoved = async () => firstFound(await movedTags(walk, remembered.splice(0)), 1, tryOne);
    const known = await firstFound([...recentTags.of(repository)], 1, async (tag) => {
      await resolveTag(tag);
      return tryOne(tag);
    });
    const moved = known ?? (await tryMoved());
    if (moved) return moved;
    const tried = new Set(sources.keys());
    const listed = await listKnownTags(options.client, repository, options.mostTags, context);
    const rest = listed.filter((tag) => !tried.has(tag));
    // HEADs cost nothing on Docker Hub.
    await mapBounded(rest, headConcurrency, resolveTag);
    return (await firstFound(rest, 1, tryOne)) ?? (await tryMoved());
  }

  /** The tags that name another image than this replica remembers. */
  async function movedTags({ repository, sources, context }: Walk, tags: readonly Tag[]) {
    const before = new Map(sources);
    await mapBounded(tags, headConcurrency, async (tag) => {
      const now = await sourceOf(resolver, repository, tag, context, 'to compare');
      sources.set(tag, now?.digest);
    });
    return tags.filter((tag) => sources.get(tag) !== before.get(tag));
  }

  /**
   * Tries the tags that clients requested lately again, for images whose layers are labelled wrongly: finding them out
   * takes a request for each layer that no cache knows.
   */
  async function walkByFirstBytes(walk: Walk): Promise<Recipe | undefined> {
    if (!walk.hints.decompressZstd) return undefined;
    const again = { ...walk, hints: { ...walk.hints, probeLayers: true } };
    const recent = [...recentTags.of(walk.repository)].filter((tag) => walk.sources.get(tag));
    const tags = [...new Set([...recent, ...walk.sources.keys()])].slice(0, mostProbedTags);
    // The usual search is done, and found nothing: its answer does not depend on what else the request could pay for.
    return firstFound(tags, 1, (tag) => tryTag(options, again, tag)).catch(ignoring(isSpent));
  }

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
  async function searchTags(own: Omit<Walk, 'sources' | 'mayFetch' | 'onFetch'>, state: string, at: number) {
    const { repository, context } = own;
    const viewKey = `${state} ${credentialKey(context.credential)}`;
    if (failedSearches.isUsed(state, context)) {
      const view = views.get(viewKey);
      if (view === undefined || clock() - view.at >= negativeMs) throw tooManyFailedSearches(repository);
      const { sources } = view;
      const again: Walk = { ...own, sources, mayFetch: () => false, onFetch: () => undefined };
      const found = firstFound([...sources.keys()], 1, (tag) => tryTag(options, again, tag));
      return found.catch((error: unknown) => withoutContent(error, repository));
    }
    let spent = 0;
    const sources = new Map<Tag, Digest | undefined>();
    // Evaluated at each image: whether upstream counts pulls may be known only after its response to the first HEAD.
    const mayFetch = () => options.mostFetches(context) > spent;
    const onFetch = () => {
      spent += 1;
    };
    const all = { ...own, sources, mayFetch, onFetch };
    const found = (await walk(all)) ?? (await walkByFirstBytes(all));
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

/** Converts the image of a tag into all forms, until the search's digest is among those made. */
async function tryTag(options: RecipeSearchOptions, walk: Walk, tag: Tag): Promise<Recipe | undefined> {
  const { repository, hints, context } = walk;
  walk.step();
  const source = walk.sources.get(tag);
  if (source === undefined) return undefined;
  const mayFetch = walk.mayFetch();
  if (!(await options.content.hasManifest(repository, source, context))) {
    if (!mayFetch) return undefined;
    walk.onFetch();
  }
  for (const recipe of await recipesFor(options, repository, tag, source, hints, context, mayFetch)) {
    walk.step();
    const found = await tryRecipe(options, walk, recipe, mayFetch);
    if (found) return found;
  }
  return undefined;
}

/** Converts by a recipe, and a list of one platform's image also with all platforms. */
async function tryRecipe(
  options: RecipeSearchOptions,
  walk: Walk,
  recipe: ManifestRecipe,
  mayFetch: boolean,
): Promise<Recipe | undefined> {
  const { repository, digest, hints, context } = walk;
  // Each layer is read once, so the cost of made-up digests is bounded; no layer is read where pulls count.
  const making = options.converter.convert(repository, recipe, { ...context, knownLayersOnly: !mayFetch });
  const derived = await walk.during(making).catch(ignoreUnusable);
  // The cache may have no memory for recipes, so they are not looked up in it.
  const [, found] = derived?.recipes.find(([made]) => made === digest) ?? [];
  if (found && found.root !== hints.deadRoot) return found;
  if (recipe.kind !== 'index' || recipe.layersOf === '' || derived?.platformSpecific === false)
    return undefined;
  return tryRecipe(options, walk, wholeListRecipe(recipe), mayFetch);
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

function sourceOf(
  resolver: Resolver,
  repository: RepositoryName,
  tag: Tag,
  context: RequestContext,
  purpose: Purpose = 'to know',
): Promise<Resolution | undefined> {
  return resolver
    .resolve(repository, { kind: 'tag', tag }, context, purpose)
    .catch(ignoring((error) => hasCode(error, 'MANIFEST_UNKNOWN')));
}
