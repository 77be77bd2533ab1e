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
import { RegistryError } from '../../errors.ts';
import { formName } from '../../negotiation/format-names.ts';
import type { ConversionFacts, Metrics } from '../../observability/metrics.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { conversionPorts, type PortSources } from './conversion-ports.ts';
import {
  type DerivedManifest,
  derivedConfigs,
  derivedManifestOf,
  derivedManifestOfEntry,
  entryOfDerivedManifest,
} from './derived-manifest.ts';
import {
  type ConfigRecipe,
  derivedManifestKey,
  isCurrent,
  type ManifestRecipe,
  type Recipe,
  recipeKey,
} from './recipe.ts';

export interface ManifestConverterOptions extends PortSources {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly cache: Cache;
  readonly background: Background;
  readonly metrics: Metrics;
}

/**
 * Makes what upstream does not have, and knows how each thing was made. Rights are not asked about here: whoever
 * calls has proved that this caller may read the recipe's root.
 */
export interface ManifestConverter {
  /** The product of a recipe, remembered or made. Its digest can be looked up from then on. */
  convert(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest>;
  /** A config that was made, remembered or made again with its manifest. */
  config(
    repository: RepositoryName,
    digest: Digest,
    recipe: ConfigRecipe,
    context: RequestContext,
  ): Promise<Uint8Array>;
  /** How a digest was made, if this replica, or a cache that it shares, knows. */
  recipeOf(repository: RepositoryName, digest: Digest, context: RequestContext): Promise<Recipe | undefined>;
  /** Whether a cache that replicas share should have the recipe, and is not known to. Asks no one. */
  needsRepublish(repository: RepositoryName, digest: Digest): boolean;
  /** The same, as far as this replica has it in memory. */
  cachedRecipe(repository: RepositoryName, digest: Digest): Recipe | undefined;
  /** What conversions need, with the caller's right. */
  ports(repository: RepositoryName, context: RequestContext): ConversionPorts;
}

const deadlineMs = 120_000;

export function createManifestConverter(options: ManifestConverterOptions): ManifestConverter {
  const { upstream, content, cache, signingKey, metrics } = options;
  const flights = createSingleFlight<DerivedManifest>(deadlineMs, options.background);

  const ports = (repository: RepositoryName, context: RequestContext) =>
    conversionPorts(options, repository, context);

  async function convert(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    caller: RequestContext,
  ): Promise<Converted> {
    const stored = await content.getManifest(repository, recipe.source, caller);
    const model = readManifest(stored.bytes, recipe.sourceType);
    const { tag, unpackZstd, form } = recipe;
    const layersOf = parsePlatform(recipe.layersOf);
    const context = { ports: ports(repository, caller), name: repository, tag, unpackZstd, layersOf };
    return model.kind === 'image'
      ? convertImage(model, form, context)
      : convertIndex(model, form as IndexForm, context);
  }

  async function work(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
    key: string,
  ) {
    const converted = await convert(repository, recipe, context);
    const derived = derivedManifestOf(converted, recipe);
    // Recipes first: whoever is told a digest may ask for it at once, and of another replica.
    await remember(repository, derived, context);
    const configs = derivedConfigs(converted);
    await Promise.all(
      configs.map(([digest, bytes]) => content.putDerivedConfig(repository, digest, bytes, context)),
    );
    if (derived.complete) await cache.set(key, entryOfDerivedManifest(derived), context.budget);
    return derived;
  }

  function count(
    { sourceType, form: to }: ManifestRecipe,
    result: ConversionFacts['result'],
    seconds: number,
  ) {
    metrics.conversion({ from: formName(sourceType), to, result, seconds });
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
    { recipes }: DerivedManifest,
    { budget }: RequestContext,
  ): Promise<void> {
    const none = new Uint8Array();
    await Promise.all(
      recipes.map(([digest, recipe]) =>
        cache.set(recipeKey(upstream, repository, digest), { facts: { recipe }, body: none }, budget),
      ),
    );
  }

  async function make(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest> {
    const keyId = recipe.form === 'schema1' ? (await signingKey()).id : '-';
    const key = derivedManifestKey(upstream, repository, recipe, keyId);
    const known = await cache.get(key, context.budget);
    if (known) {
      count(recipe, 'remembered', 0);
      const derived = derivedManifestOfEntry(known);
      // A product outlives its recipes where a cache drops these and keeps it, and where another root named it last,
      // which may be gone by now: then they are put back.
      if (!(await knowsRecipes(repository, derived, context))) await remember(repository, derived, context);
      return derived;
    }
    const late = () => new RegistryError('UPSTREAM_TIMEOUT', 'The conversion took too long. Try again.');
    // Others wait for it too: the request that began it may leave, and it goes on as long as one of them waits.
    let isOwn = false;
    const start = (abandoned: () => AbortSignal) => {
      isOwn = true;
      const signal = abandoned();
      return timed(recipe, signal, () => work(repository, recipe, { ...context, signal }, key));
    };
    const flight = context.knownLayersOnly ? `${key} known-layers` : key;
    const whose = credentialKey(context.credential);
    const product = await flights.join({ key: flight, credential: whose, start, late }, context.signal);
    // What upstream does not have for the caller who began it is left out, and can be there for this one.
    if (product.complete || isOwn) return product;
    return flights.join({ key: `${flight} ${whose}`, credential: whose, start, late }, context.signal);
  }

  async function recipeOf(repository: RepositoryName, digest: Digest, { budget }: RequestContext) {
    return recipeIn(await cache.get(recipeKey(upstream, repository, digest), budget));
  }

  function recipeAtHand(repository: RepositoryName, digest: Digest): Recipe | undefined {
    return recipeIn(cache.getLocal?.(recipeKey(upstream, repository, digest)));
  }

  async function knowsRecipes(
    repository: RepositoryName,
    { recipes }: DerivedManifest,
    context: RequestContext,
  ) {
    for (const [digest, { root }] of recipes) {
      const known = recipeAtHand(repository, digest) ?? (await recipeOf(repository, digest, context));
      if (known?.root !== root || cache.lacks?.(recipeKey(upstream, repository, digest))) return false;
    }
    return true;
  }

  return {
    ports,
    convert: make,
    recipeOf,
    cachedRecipe: recipeAtHand,
    needsRepublish: (repository, digest) => cache.lacks?.(recipeKey(upstream, repository, digest)) ?? false,

    async config(repository, digest, recipe, context) {
      const kept = await content.getDerivedConfig(repository, digest, context);
      if (kept) return kept;
      const converted = await convert(repository, recipe.manifest, context);
      const made = derivedConfigs(converted).find(([candidate]) => candidate === digest);
      if (made) return made[1];
      throw new RegistryError(
        'BLOB_UNKNOWN',
        `The config ${digest} can no longer be made. Pull the image again.`,
      );
    },
  };
}

function recipeIn(entry: CacheEntry | undefined): Recipe | undefined {
  const recipe = entry?.facts.recipe as Recipe | undefined;
  return recipe && isCurrent(recipe) ? recipe : undefined;
}
