import { mapBounded } from '../../../converters/concurrency.ts';
import type { Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { fitting, formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { createLru } from '../../cache/lru.ts';
import type { Background } from '../../concurrency/background.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import { isSpent, RegistryError } from '../../errors.ts';
import type { StoredEntry } from '../../negotiation/negotiate.ts';
import { listTags } from '../../upstream/api/tags.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
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
import { type ManifestRecipe, manifestRecipe, type Recipe } from './recipe.ts';
import { createTagViews } from './tag-views.ts';

export interface RecipeSearchOptions {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly content: ContentStore;
  readonly converter: ManifestConverter;
  readonly platformSelector: PlatformSelector;
  readonly recentTags: RecentTags;
  readonly versions: RepositoryVersions;
  /** How many tags are asked about by HEAD. */
  readonly walkTags: number;
  /** How many images that are not in memory may be fetched and converted; 0 where upstream counts pulls. */
  readonly walkGets: (context: RequestContext) => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  /** The line of all searches of the process. */
  readonly line: LeaseLine;
  /** The route's id. */
  readonly route: string;
}

/** What is known of the client that asks: what it would be given is tried first. */
export interface SearchHints {
  readonly platform: Platform;
  readonly decompressZstd: boolean;
  /** What the recipe that is known was made from, and upstream no longer has. */
  readonly deadRoot?: Digest | undefined;
  /** The request may be part of a push, which asks about each new blob: one search in vain in half a minute will do. */
  readonly mayBePush?: boolean;
}

/**
 * Finds out how a digest was made that this replica knows nothing of: another one gave it out, or it did so itself
 * before a restart. Every tag that still names the image leads there. What a search may cost upstream is bounded,
 * so that made-up digests cannot burn anyone's pull quota.
 */
export interface RecipeSearch {
  /**
   * @returns the recipe, or `undefined`. Everything is asked with the caller's own right.
   * @throws RegistryError OVERLOADED where too many search already.
   */
  find(
    repository: RepositoryName,
    digest: Digest,
    hints: SearchHints,
    context: RequestContext,
  ): Promise<Recipe | undefined>;
}

const headConcurrency = 6;

/** One search: what it looks for, and what it has found out. */
interface Walk extends SearchRun {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly hints: SearchHints;
  /** What each tag names, asked once in a walk whatever the TTL is; in the order of the asking. */
  readonly sources: Map<Tag, Digest | undefined>;
  /** Images that are not in memory and may still be fetched. */
  readonly mayFetch: () => boolean;
  readonly onFetch: () => void;
}

export function createRecipeSearch(options: RecipeSearchOptions): RecipeSearch {
  const { resolver, converter, recentTags, versions, clock } = options;
  const misses = createLru<string, number>(10_000);
  const views = createTagViews(clock);
  const inVain = createSearchAllowance(maxFailedSearches, clock);
  const pushesInVain = createSearchAllowance(1, clock);
  const searches = createBoundedSearch<Recipe | undefined>(options);

  /** Looks through the tags as upstream has them now. */
  async function walk(walk: Walk): Promise<Recipe | undefined> {
    const { repository, sources, context } = walk;
    const learn = async (tag: Tag) => {
      if (sources.has(tag) || sources.size >= options.walkTags) return;
      sources.set(tag, undefined);
      sources.set(tag, await sourceOf(resolver, repository, tag, context));
    };
    const visit = (tag: Tag) => tryTag(options, walk, tag);
    const known = await firstFound([...recentTags.of(repository)], 1, async (tag) => {
      await learn(tag);
      return visit(tag);
    });
    if (known) return known;
    const tried = new Set(sources.keys());
    const listed = await listTags(options.client, repository, options.walkTags, context).catch(noTags);
    const rest = listed.filter((tag) => !tried.has(tag));
    // HEADs cost nothing on Docker Hub.
    await mapBounded(rest, headConcurrency, learn);
    return firstFound(rest, 1, visit);
  }

  /** The recipe, unless it is one that is known to lead nowhere. */
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
   * Looks through the tags, or, for a requester that has searched in vain too often, through what the last walk with
   * the same credential learned of them. The right to what is found is asked for anew in any case.
   */
  async function searchTags(own: Omit<Walk, 'sources' | 'mayFetch' | 'onFetch'>, state: string) {
    const { repository, context } = own;
    const viewKey = `${state} ${credentialKey(context.credential)}`;
    if (inVain.isUsed(state, context)) {
      const sources = views.of(viewKey);
      if (sources === undefined) throw tooManyFailedSearches(repository);
      const again: Walk = { ...own, sources, mayFetch: () => false, onFetch: () => undefined };
      return firstFound([...sources.keys()], 1, (tag) => tryTag(options, again, tag));
    }
    let spent = 0;
    const sources = new Map<Tag, Digest | undefined>();
    // Asked at each image: that upstream counts pulls may be known only since its answer to the first HEAD.
    const mayFetch = () => options.walkGets(context) > spent;
    const onFetch = () => {
      spent += 1;
    };
    const found = await walk({ ...own, sources, mayFetch, onFetch });
    if (found) return found;
    views.keep(viewKey, sources);
    inVain.note(state, context);
    return undefined;
  }

  return {
    async find(repository, digest, hints, context) {
      const kind = `${formatPlatform(hints.platform)} ${hints.decompressZstd}`;
      const state = versions.current(repository);
      const missKey = `${state} ${digest} ${kind} ${credentialKey(context.credential)}`;
      const isMissed = () => (misses.get(missKey) ?? 0) > clock();
      const isPushDone = () => hints.mayBePush === true && pushesInVain.isUsed(repository, context);
      if (isMissed() || isPushDone()) return undefined;
      const key = `${missKey} ${hints.deadRoot ?? ''} ${hints.mayBePush ?? false}`;
      return searches.run(key, repository, context, async (run) => {
        // The search before may have found it, or not.
        const known = await recipeOf(repository, digest, hints, run.context);
        if (known || isMissed() || isPushDone()) return known;
        const found = await searchTags({ ...run, repository, digest, hints }, state);
        if (found) return found;
        misses.set(missKey, clock() + negativeMs);
        if (hints.mayBePush) pushesInVain.note(repository, context);
        return undefined;
      });
    },
  };
}

/** Makes what could have been given for a tag, until one of the digests made is the one sought. */
async function tryTag(options: RecipeSearchOptions, walk: Walk, tag: Tag): Promise<Recipe | undefined> {
  const { repository, digest, hints, context } = walk;
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
    // Each layer is read once for good, so that what made-up digests can cost has an end; none where pulls count.
    const making = options.converter.convert(repository, recipe, { ...context, knownLayersOnly: !mayFetch });
    const derived = await walk.during(making).catch(ignoreFaultOfImage);
    // Not looked up: there may be no memory for recipes.
    const [, found] = derived?.recipes.find(([made]) => made === digest) ?? [];
    if (found && found.root !== hints.deadRoot) return found;
  }
  return undefined;
}

/** What has blobs and no tag yet, as in a first push, is no repository for the list of distribution. */
function noTags(error: unknown): readonly Tag[] {
  if (error instanceof RegistryError && error.code === 'NAME_UNKNOWN') return [];
  throw error;
}

async function sourceOf(
  resolver: Resolver,
  repository: RepositoryName,
  tag: Tag,
  context: RequestContext,
): Promise<Digest | undefined> {
  try {
    return (await resolver.resolve(repository, { kind: 'tag', tag }, context)).digest;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN') return undefined;
    throw error;
  }
}

/**
 * Everything that a client of this kind could have been given for a stored manifest, the likeliest first.
 * @param mayFetch false: nothing of an index that would have to be fetched, for each of its images is a pull too.
 */
async function recipesFor(
  { content, platformSelector }: RecipeSearchOptions,
  repository: RepositoryName,
  tag: Tag,
  root: Digest,
  { platform, decompressZstd }: SearchHints,
  context: RequestContext,
  mayFetch: boolean,
): Promise<ManifestRecipe[]> {
  const form = await content.getManifestInfo(repository, root, context).catch(ignoreFaultOfImage);
  if (!form) return [];
  const common = { root, tag, unpackZstd: decompressZstd, layersOf: formatPlatform(platform) };
  const image = (source: Digest, sourceType: string) => {
    const own = { ...common, source, sourceType, kind: 'image' } as const;
    // What is named as the equivalent of a digest has no tag in it.
    const untagged = manifestRecipe({ ...own, form: 'schema1', tag: '' });
    return [...imageForms.map((each) => manifestRecipe({ ...own, form: each })), untagged];
  };
  const sourceType = form.mediaType;
  if (!form.entries) return image(root, sourceType);
  const atHand = async (entries: readonly StoredEntry[]) =>
    mayFetch ||
    (await Promise.all(entries.map((each) => content.hasManifest(repository, each.digest, context)))).every(
      Boolean,
    );
  const images = form.entries.filter(({ attestation }) => !attestation);
  const index = (each: Form) =>
    manifestRecipe({ ...common, source: root, sourceType, kind: 'index', form: each });
  const lists = (await atHand(images)) ? indexForms.map(index) : [];
  const likely = fitting(platform, images).slice(0, 1);
  if (!(await atHand(likely.length > 0 ? likely : images))) return lists;
  const chosen = await platformSelector.select(repository, root, platform, context).catch(ignoreFaultOfImage);
  const chosenForm =
    chosen && (await content.getManifestInfo(repository, chosen, context).catch(ignoreFaultOfImage));
  return chosenForm ? [...lists, ...image(chosen, chosenForm.mediaType)] : lists;
}

const imageForms: readonly Form[] = ['schema2', 'oci', 'schema1', 'generic'];
const indexForms: readonly Form[] = ['schema2', 'oci', 'generic'];

/** One image that is broken, or cannot take a form, is no reason to end the search; a fault of upstream is. */
function ignoreFaultOfImage(error: unknown): undefined {
  if (error instanceof ConversionError) return undefined;
  if (error instanceof RegistryError && faultsOfImage.has(error.code) && !isSpent(error)) return undefined;
  throw error;
}

const faultsOfImage: ReadonlySet<string> = new Set([
  'MANIFEST_UNKNOWN',
  'BLOB_UNKNOWN',
  'UPSTREAM_CONTENT',
  'UNSIGNED',
  'UNSUPPORTED',
]);
