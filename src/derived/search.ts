import { mapBounded } from '../../converters/concurrency.ts';
import type { Form } from '../../converters/convert.ts';
import type { Digest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { fitting, formatPlatform, type Platform } from '../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { createBounded } from '../cache/bounded.ts';
import type { Background } from '../concurrency/background.ts';
import { firstFound } from '../concurrency/first-found.ts';
import { Serial } from '../concurrency/serial.ts';
import { Failure } from '../errors.ts';
import type { StoredEntry } from '../negotiation/decide.ts';
import type { Content } from '../stored/content.ts';
import type { Caller, Resolver } from '../stored/resolve.ts';
import { listTags } from '../stored/tag-list.ts';
import type { Writes } from '../stored/writes.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { credentialKey } from '../upstream/credential.ts';
import type { Chooser } from './chooser.ts';
import { type ManifestRecipe, manifestRecipe, type Recipe } from './recipe.ts';
import type { ServedTags } from './served-tags.ts';
import type { Workshop } from './workshop.ts';

export interface SearchOptions {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly content: Content;
  readonly workshop: Workshop;
  readonly chooser: Chooser;
  readonly served: ServedTags;
  readonly writes: Writes;
  /** How many tags are asked about by HEAD. */
  readonly walkTags: number;
  /** How many images that are not in memory may be fetched and converted; 0 where upstream counts pulls. */
  readonly walkGets: (caller: Caller) => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
}

/** What is known of the client that asks: what it would be given is tried first. */
export interface Hints {
  readonly platform: Platform;
  readonly unpackZstd: boolean;
  /** What the recipe that is known was made from, and upstream no longer has. */
  readonly deadRoot?: Digest | undefined;
}

/**
 * Finds out how a digest was made that this replica knows nothing of: another one gave it out, or it did so itself
 * before a restart. Every tag that still names the image leads there. What a search may cost upstream is bounded,
 * so that made-up digests cannot burn anyone's pull quota.
 */
export interface Search {
  /** @returns the recipe, or `undefined`. Everything is asked with the caller's own right. */
  find(repository: RepositoryName, digest: Digest, hints: Hints, caller: Caller): Promise<Recipe | undefined>;
}

const negativeMs = 30_000;
const headConcurrency = 6;

export function createSearch(options: SearchOptions): Search {
  const { resolver, content, workshop, served, writes, clock } = options;
  const misses = createBounded<string, number>(10_000);
  const serial = new Serial(options.background);

  async function walk(
    repository: RepositoryName,
    digest: Digest,
    hints: Hints,
    caller: Caller,
  ): Promise<Recipe | undefined> {
    const budget = { spent: 0 };
    const tried = new Set<Tag>();
    const visit = async (tag: Tag) => {
      if (tried.has(tag) || tried.size >= options.walkTags) return undefined;
      tried.add(tag);
      const source = await sourceOf(resolver, repository, tag, caller);
      return source && tryImage(repository, digest, tag, source, hints, caller, budget);
    };
    const known = await firstFound([...served.of(repository)], 1, visit);
    if (known) return known;
    const listed = await listTags(options.client, repository, options.walkTags, caller).catch(noTags);
    const rest = listed.filter((tag) => !tried.has(tag));
    // HEADs cost nothing on Docker Hub; asked ahead, they are answered from memory when a tag is visited.
    await mapBounded(rest, headConcurrency, (tag) => sourceOf(resolver, repository, tag, caller));
    return firstFound(rest, 1, visit);
  }

  /** Makes what could have been given for a tag, until one of the digests made is the one sought. */
  async function tryImage(
    repository: RepositoryName,
    digest: Digest,
    tag: Tag,
    source: Digest,
    hints: Hints,
    caller: Caller,
    budget: { spent: number },
  ): Promise<Recipe | undefined> {
    // Asked at each image: that upstream counts pulls may be known only since its answer to the first HEAD.
    const mayFetch = options.walkGets(caller) > budget.spent;
    if (!(await content.has(repository, source, caller))) {
      if (!mayFetch) return undefined;
      budget.spent += 1;
    }
    for (const recipe of await recipesFor(options, repository, tag, source, hints, caller, mayFetch)) {
      // Each layer is read once for good, so that what made-up digests can cost has an end; none where pulls count.
      const product = await workshop
        .make(repository, recipe, { ...caller, knownLayersOnly: !mayFetch })
        .catch(ignoreFaultOfImage);
      // Not looked up: there may be no memory for recipes.
      const [, found] = product?.recipes.find(([made]) => made === digest) ?? [];
      if (found && found.root !== hints.deadRoot) return found;
    }
    return undefined;
  }

  /** The recipe, unless it is one that is known to lead nowhere. */
  async function recipeOf(repository: RepositoryName, digest: Digest, { deadRoot }: Hints, caller: Caller) {
    const recipe = await workshop.recipeOf(repository, digest, caller);
    return recipe && recipe.root !== deadRoot ? recipe : undefined;
  }

  return {
    async find(repository, digest, hints, caller) {
      const kind = `${formatPlatform(hints.platform)} ${hints.unpackZstd}`;
      const missKey = `${writes.state(repository)} ${digest} ${kind} ${credentialKey(caller.credential)}`;
      const isMissed = () => (misses.get(missKey) ?? 0) > clock();
      if (isMissed()) return undefined;
      return serial.run(repository, async () => {
        // Whoever searched before may have found it, or not.
        const known = await recipeOf(repository, digest, hints, caller);
        if (known || isMissed()) return known;
        const found = await walk(repository, digest, hints, caller);
        if (!found) misses.set(missKey, clock() + negativeMs);
        return found;
      });
    },
  };
}

/** What has blobs and no tag yet, as in a first push, is no repository for the list of distribution. */
function noTags(error: unknown): readonly Tag[] {
  if (error instanceof Failure && error.code === 'NAME_UNKNOWN') return [];
  throw error;
}

async function sourceOf(
  resolver: Resolver,
  repository: RepositoryName,
  tag: Tag,
  caller: Caller,
): Promise<Digest | undefined> {
  try {
    return (await resolver.resolve(repository, { kind: 'tag', tag }, caller)).digest;
  } catch (error) {
    if (error instanceof Failure && error.code === 'MANIFEST_UNKNOWN') return undefined;
    throw error;
  }
}

/**
 * Everything that a client of this kind could have been given for a stored manifest, the likeliest first.
 * @param mayFetch false: nothing of an index that would have to be fetched, for each of its images is a pull too.
 */
async function recipesFor(
  { content, chooser }: SearchOptions,
  repository: RepositoryName,
  tag: Tag,
  root: Digest,
  { platform, unpackZstd }: Hints,
  caller: Caller,
  mayFetch: boolean,
): Promise<ManifestRecipe[]> {
  const form = await content.form(repository, root, caller).catch(ignoreFaultOfImage);
  if (!form) return [];
  const common = { root, tag, unpackZstd, layersOf: formatPlatform(platform) };
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
    (await Promise.all(entries.map((each) => content.has(repository, each.digest, caller)))).every(Boolean);
  const images = form.entries.filter(({ attestation }) => !attestation);
  const index = (each: Form) =>
    manifestRecipe({ ...common, source: root, sourceType, kind: 'index', form: each });
  const lists = (await atHand(images)) ? indexForms.map(index) : [];
  const likely = fitting(platform, images).slice(0, 1);
  if (!(await atHand(likely.length > 0 ? likely : images))) return lists;
  const chosen = await chooser.choose(repository, root, platform, caller).catch(ignoreFaultOfImage);
  const chosenForm = chosen && (await content.form(repository, chosen, caller).catch(ignoreFaultOfImage));
  return chosenForm ? [...lists, ...image(chosen, chosenForm.mediaType)] : lists;
}

const imageForms: readonly Form[] = ['schema2', 'oci', 'schema1', 'generic'];
const indexForms: readonly Form[] = ['schema2', 'oci', 'generic'];

/** One image that is broken, or cannot take a form, is no reason to end the search; a fault of upstream is. */
function ignoreFaultOfImage(error: unknown): undefined {
  if (error instanceof ConversionError) return undefined;
  if (error instanceof Failure && faultsOfImage.has(error.code)) return undefined;
  throw error;
}

const faultsOfImage: ReadonlySet<string> = new Set([
  'MANIFEST_UNKNOWN',
  'BLOB_UNKNOWN',
  'UPSTREAM_CONTENT',
  'UNSIGNED',
  'UNSUPPORTED',
]);
