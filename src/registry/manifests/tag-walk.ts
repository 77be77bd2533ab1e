import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import type { Clock } from '../../clock.ts';
import { firstFound } from '../../concurrency/first-found.ts';
import { hasCode, ignoring, isSpent } from '../../errors.ts';
import { listKnownTags } from '../../upstream/api/tags.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import type { Purpose, Resolution } from '../../upstream/resolution.ts';
import type { SearchRun } from '../bounded-search.ts';
import type { RecentTags } from '../recent-tags.ts';
import type { Resolver } from '../resolver.ts';
import type { ManifestConverter } from './converter.ts';
import { type ManifestRecipe, type Recipe, wholeListRecipe } from './recipe.ts';
import { type CandidateSources, ignoreUnusable, recipesFor, type SearchHints } from './recipe-candidates.ts';

export interface TagWalkOptions extends CandidateSources {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly converter: Pick<ManifestConverter, 'convert'>;
  readonly recentTags: RecentTags;
  /** The most tags that are resolved by HEAD. */
  readonly mostTags: number;
  readonly clock: Clock;
}

/** A walk over the tags of a repository until one has the digest, and the tags that it has resolved. */
export interface TagWalk extends SearchRun {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly hints: SearchHints;
  /** The digest of each tag, resolved once in a search whatever the TTL is; in the order of the requests. */
  readonly sources: Map<Tag, Digest | undefined>;
  /** Whether one more image that is not cached may be fetched. */
  readonly mayFetch: () => boolean;
  readonly onFetch: () => void;
}

const headConcurrency = 6;

/** Tags whose layers are looked at by their first bytes in one walk. */
const mostProbedTags = 8;

/** Tries the tags as upstream has them now. */
export async function walkTags(options: TagWalkOptions, walk: TagWalk): Promise<Recipe | undefined> {
  return (await walkByLabels(options, walk)) ?? (await walkByFirstBytes(options, walk));
}

/** Tries these tags as the walk has resolved them. */
export function tryTags(
  options: TagWalkOptions,
  walk: TagWalk,
  tags: Iterable<Tag>,
): Promise<Recipe | undefined> {
  return firstFound([...tags], 1, (tag) => tryTag(options, walk, tag));
}

async function walkByLabels(options: TagWalkOptions, walk: TagWalk): Promise<Recipe | undefined> {
  const { repository, sources, context } = walk;
  const began = options.clock();
  const remembered: Tag[] = [];
  const resolveTag = async (tag: Tag) => {
    if (sources.has(tag) || sources.size >= options.mostTags) return;
    sources.set(tag, undefined);
    const found = await sourceOf(options, walk, tag);
    sources.set(tag, found?.digest);
    if (found && found.at < began) remembered.push(tag);
  };
  // Another replica may have asked for a tag after it moved, and named the digest then.
  const tryMoved = async () => tryTags(options, walk, await movedTags(options, walk, remembered.splice(0)));
  const known = await firstFound([...options.recentTags.of(repository)], 1, async (tag) => {
    await resolveTag(tag);
    return tryTag(options, walk, tag);
  });
  const moved = known ?? (await tryMoved());
  if (moved) return moved;
  const tried = new Set(sources.keys());
  const listed = await listKnownTags(options.client, repository, options.mostTags, context);
  const rest = listed.filter((tag) => !tried.has(tag));
  // HEADs cost nothing on Docker Hub.
  await mapBounded(rest, headConcurrency, resolveTag);
  return (await tryTags(options, walk, rest)) ?? (await tryMoved());
}

/** The tags that name another image than this replica remembers. */
async function movedTags(options: TagWalkOptions, walk: TagWalk, tags: readonly Tag[]): Promise<Tag[]> {
  const { sources } = walk;
  const before = new Map(sources);
  await mapBounded(tags, headConcurrency, async (tag) => {
    const now = await sourceOf(options, walk, tag, 'to compare');
    sources.set(tag, now?.digest);
  });
  return tags.filter((tag) => sources.get(tag) !== before.get(tag));
}

/**
 * Tries the tags that clients requested lately again, for images whose layers are labelled wrongly: finding them out
 * takes a request for each layer that no cache knows.
 */
async function walkByFirstBytes(options: TagWalkOptions, walk: TagWalk): Promise<Recipe | undefined> {
  if (!walk.hints.decompressZstd) return undefined;
  const again = { ...walk, hints: { ...walk.hints, probeLayers: true } };
  const recent = [...options.recentTags.of(walk.repository)].filter((tag) => walk.sources.get(tag));
  const tags = [...new Set([...recent, ...walk.sources.keys()])].slice(0, mostProbedTags);
  // The usual walk is done, and found nothing: its answer does not depend on what else the request could pay for.
  return tryTags(options, again, tags).catch(ignoring(isSpent));
}

/** Converts the image of a tag into all forms, until the walk's digest is among those made. */
async function tryTag(options: TagWalkOptions, walk: TagWalk, tag: Tag): Promise<Recipe | undefined> {
  const { repository, hints, context } = walk;
  walk.step();
  const root = walk.sources.get(tag);
  if (root === undefined) return undefined;
  const mayFetch = walk.mayFetch();
  if (!(await options.content.hasManifest(repository, root, context))) {
    if (!mayFetch) return undefined;
    walk.onFetch();
  }
  const tagged = { repository, tag, root };
  for (const recipe of await recipesFor(options, tagged, { ...hints, mayFetch }, context)) {
    walk.step();
    const found = await tryRecipe(options, walk, recipe, mayFetch);
    if (found) return found;
  }
  return undefined;
}

/** Converts by a recipe, and a list of one platform's image also with all platforms. */
async function tryRecipe(
  options: TagWalkOptions,
  walk: TagWalk,
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

function sourceOf(
  { resolver }: TagWalkOptions,
  { repository, context }: TagWalk,
  tag: Tag,
  purpose: Purpose = 'to know',
): Promise<Resolution | undefined> {
  return resolver
    .resolve(repository, { kind: 'tag', tag }, context, purpose)
    .catch(ignoring((error) => hasCode(error, 'MANIFEST_UNKNOWN')));
}
