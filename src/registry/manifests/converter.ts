import type { Converted } from '../../../converters/conversion.ts';
import type { Digest } from '../../../converters/digest.ts';
import { convertImage } from '../../../converters/images/convert-image.ts';
import { convertIndex, type IndexForm } from '../../../converters/indexes/convert-index.ts';
import { parsePlatform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { readManifest } from '../../../converters/read.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { Cache, CacheEntry } from '../../cache/cache.ts';
import type { Background } from '../../concurrency/background.ts';
import { createSingleFlight } from '../../concurrency/single-flight.ts';
import { Failure } from '../../errors.ts';
import { formName } from '../../negotiation/format-names.ts';
import type { ConversionFacts, Meter } from '../../observability/metrics.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { Caller } from '../../upstream/request-context.ts';
import { conversionPorts, type PortSources } from './conversion-ports.ts';
import { entryOfProduct, madeConfigs, type Product, productOf, productOfEntry } from './derived-manifest.ts';
import {
  type ConfigRecipe,
  isFollowable,
  type ManifestRecipe,
  productKey,
  type Recipe,
  recipeKey,
} from './recipe.ts';

export interface WorkshopOptions extends PortSources {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly cache: Cache;
  readonly background: Background;
  readonly meter: Meter;
}

/**
 * Makes what upstream does not have, and knows how each thing was made. Rights are not asked about here: whoever
 * calls has proved that this caller may read the recipe's root.
 */
export interface Workshop {
  /** The product of a recipe, remembered or made. Its digest can be looked up from then on. */
  make(repository: RepositoryName, recipe: ManifestRecipe, caller: Caller): Promise<Product>;
  /** A config that was made, remembered or made again with its manifest. */
  config(
    repository: RepositoryName,
    digest: Digest,
    recipe: ConfigRecipe,
    caller: Caller,
  ): Promise<Uint8Array>;
  /** How a digest was made, if this replica, or a cache that it shares, knows. */
  recipeOf(repository: RepositoryName, digest: Digest, caller: Caller): Promise<Recipe | undefined>;
  /** Whether a cache that replicas share should have the recipe, and is not known to. Asks no one. */
  isLost(repository: RepositoryName, digest: Digest): boolean;
  /** The same, as far as this replica has it in memory. */
  recipeAtHand(repository: RepositoryName, digest: Digest): Recipe | undefined;
  /** What conversions need, with the caller's right. */
  ports(repository: RepositoryName, caller: Caller): ConversionPorts;
}

const deadlineMs = 120_000;

export function createWorkshop(options: WorkshopOptions): Workshop {
  const { upstream, content, cache, signingKey, meter } = options;
  const flights = createSingleFlight<Product>(deadlineMs, options.background);

  const ports = (repository: RepositoryName, caller: Caller) => conversionPorts(options, repository, caller);

  async function convert(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    caller: Caller,
  ): Promise<Converted> {
    const stored = await content.manifest(repository, recipe.source, caller);
    const model = readManifest(stored.bytes, recipe.sourceType);
    const { tag, unpackZstd, form } = recipe;
    const layersOf = parsePlatform(recipe.layersOf);
    const context = { ports: ports(repository, caller), name: repository, tag, unpackZstd, layersOf };
    return model.kind === 'image'
      ? convertImage(model, form, context)
      : convertIndex(model, form as IndexForm, context);
  }

  async function work(repository: RepositoryName, recipe: ManifestRecipe, caller: Caller, key: string) {
    const converted = await convert(repository, recipe, caller);
    const product = productOf(converted, recipe);
    // Recipes first: whoever is told a digest may ask for it at once, and of another replica.
    await remember(repository, product, caller);
    const configs = madeConfigs(converted);
    await Promise.all(configs.map(([digest, bytes]) => content.keep(repository, digest, bytes, caller)));
    if (product.complete) await cache.set(key, entryOfProduct(product), caller.budget);
    return product;
  }

  function count(
    { sourceType, form: to }: ManifestRecipe,
    result: ConversionFacts['result'],
    seconds: number,
  ) {
    meter.converted({ from: formName(sourceType), to, result, seconds });
  }

  async function timed<Made>(
    recipe: ManifestRecipe,
    signal: AbortSignal,
    make: () => Promise<Made>,
  ): Promise<Made> {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const made = await make();
      count(recipe, 'made', seconds());
      return made;
    } catch (error) {
      if (!signal.aborted) count(recipe, 'failed', seconds());
      throw error;
    }
  }

  async function remember(
    repository: RepositoryName,
    { recipes }: Product,
    { budget }: Caller,
  ): Promise<void> {
    const none = new Uint8Array();
    await Promise.all(
      recipes.map(([digest, recipe]) =>
        cache.set(recipeKey(upstream, repository, digest), { facts: { recipe }, body: none }, budget),
      ),
    );
  }

  async function make(repository: RepositoryName, recipe: ManifestRecipe, caller: Caller): Promise<Product> {
    const keyId = recipe.form === 'schema1' ? (await signingKey()).id : '-';
    const key = productKey(upstream, repository, recipe, keyId);
    const known = await cache.get(key, caller.budget);
    if (known) {
      count(recipe, 'remembered', 0);
      const product = productOfEntry(known);
      // A product outlives its recipes where a cache drops these and keeps it, and where another root named it last,
      // which may be gone by now: then they are put back.
      if (!(await knowsRecipes(repository, product, caller))) await remember(repository, product, caller);
      return product;
    }
    const late = () => new Failure('UPSTREAM_TIMEOUT', 'The conversion took too long. Try again.');
    // Others wait for it too: the request that began it may leave, and it goes on as long as one of them waits.
    let isOwn = false;
    const start = (abandoned: () => AbortSignal) => {
      isOwn = true;
      const signal = abandoned();
      return timed(recipe, signal, () => work(repository, recipe, { ...caller, signal }, key));
    };
    const flight = caller.knownLayersOnly ? `${key} known-layers` : key;
    const whose = credentialKey(caller.credential);
    const product = await flights.join({ key: flight, whose, start, late }, caller.signal);
    // What upstream does not have for the caller who began it is left out, and can be there for this one.
    if (product.complete || isOwn) return product;
    return flights.join({ key: `${flight} ${whose}`, whose, start, late }, caller.signal);
  }

  async function recipeOf(repository: RepositoryName, digest: Digest, { budget }: Caller) {
    return recipeIn(await cache.get(recipeKey(upstream, repository, digest), budget));
  }

  function recipeAtHand(repository: RepositoryName, digest: Digest): Recipe | undefined {
    return recipeIn(cache.atHand?.(recipeKey(upstream, repository, digest)));
  }

  async function knowsRecipes(repository: RepositoryName, { recipes }: Product, caller: Caller) {
    for (const [digest, { root }] of recipes) {
      const known = recipeAtHand(repository, digest) ?? (await recipeOf(repository, digest, caller));
      if (known?.root !== root || cache.lacks?.(recipeKey(upstream, repository, digest))) return false;
    }
    return true;
  }

  return {
    ports,
    make,
    recipeOf,
    recipeAtHand,
    isLost: (repository, digest) => cache.lacks?.(recipeKey(upstream, repository, digest)) ?? false,

    async config(repository, digest, recipe, caller) {
      const kept = await content.kept(repository, digest, caller);
      if (kept) return kept;
      const converted = await convert(repository, recipe.manifest, caller);
      const made = madeConfigs(converted).find(([candidate]) => candidate === digest);
      if (made) return made[1];
      throw new Failure('BLOB_UNKNOWN', `The config ${digest} can no longer be made. Pull the image again.`);
    },
  };
}

function recipeIn(entry: CacheEntry | undefined): Recipe | undefined {
  const recipe = entry?.facts.recipe as Recipe | undefined;
  return recipe && isFollowable(recipe) ? recipe : undefined;
}
