import type { Converted } from '../../../converters/conversion.ts';
import type { Digest } from '../../../converters/digest.ts';
import { convertImage } from '../../../converters/images/convert-image.ts';
import { convertIndex, type IndexForm } from '../../../converters/indexes/convert-index.ts';
import { parsePlatform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { Cache } from '../../cache/cache.ts';
import { doOnce } from '../../cache/claimed-work.ts';
import type { Background } from '../../concurrency/background.ts';
import { createSingleFlight } from '../../concurrency/single-flight.ts';
import { RegistryError } from '../../errors.ts';
import { formName } from '../../negotiation/format-names.ts';
import type { ConversionFacts, Metrics } from '../../observability/metrics.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { usualSharedWorkMs } from '../../upstream/timeouts.ts';
import { conversionPorts, type PortSources } from './conversion-ports.ts';
import {
  type DerivedManifest,
  derivedConfigs,
  derivedManifestOf,
  derivedManifestOfEntry,
  entryOfDerivedManifest,
} from './derived-manifest.ts';
import { type ConfigRecipe, derivedManifestKeys, type ManifestRecipe, type ProductKeys } from './recipe.ts';
import { createRecipeStore, type RecipeStore } from './recipe-store.ts';

export interface ManifestConverterOptions extends PortSources {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly cache: Cache;
  readonly background: Background;
  /** The longest wait for a conversion, in milliseconds. */
  readonly deadlineMs?: number;
  readonly metrics: Metrics;
}

/**
 * Makes content that upstream does not have, and caches its recipes. The converter checks no rights: its callers have
 * proved the right to read the recipe's root.
 */
export interface ManifestConverter extends Pick<RecipeStore, 'recipeOf' | 'cachedRecipe' | 'needsRepublish'> {
  /** Makes a recipe's product, or gets it from the cache. `recipeOf` finds its digest from then on. */
  convert(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest>;
  /**
   * Makes a recipe's product in work that no client waits for. It shares nothing in progress with requests. @param context
   * has the credential of the request that caused the work, and `inBackground`.
   */
  convertInBackground(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest>;
  /** The product of an index's recipe, if this replica or a shared cache has it with all recipes in it. */
  knownProduct(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest | undefined>;
  /** The product of an index's recipe, if this replica has it in memory. */
  cachedProduct(repository: RepositoryName, recipe: ManifestRecipe): DerivedManifest | undefined;
  /** The key of the product of an index's recipe. */
  productKey(repository: RepositoryName, recipe: ManifestRecipe): string;
  /** Gets a config that a conversion made, or makes it again with its manifest. */
  config(
    repository: RepositoryName,
    digest: Digest,
    recipe: ConfigRecipe,
    context: RequestContext,
  ): Promise<Uint8Array>;
  /** The ports of a conversion, with the credential of the request. */
  ports(repository: RepositoryName, context: RequestContext): ConversionPorts;
}

/** Stands for the signing key in the keys of products that are not signed. */
const unsignedId = '-';

export function createManifestConverter(options: ManifestConverterOptions): ManifestConverter {
  const { upstream, content, cache, signingKey, turn, metrics } = options;
  const recipes = createRecipeStore(options);
  const flights = createSingleFlight<DerivedManifest>(
    options.deadlineMs ?? 2 * usualSharedWorkMs,
    options.background,
  );

  const ports = (repository: RepositoryName, context: RequestContext) =>
    conversionPorts(options, repository, context);

  async function convert(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<Converted> {
    const model = await content.getModel(repository, recipe.source, context, recipe.sourceType);
    const { tag, unpackZstd, form } = recipe;
    const conversion = {
      ...{ ports: ports(repository, context), name: repository, tag, unpackZstd },
      layersOf: parsePlatform(recipe.layersOf),
      flattenIndexes: recipe.flatten,
      preferGzip: recipe.preferGzip,
      dropAttestations: recipe.dropAttestations,
      probeLayers: recipe.probeLayers,
    };
    return model.kind === 'image'
      ? convertImage(model, form, conversion)
      : convertIndex(model, form as IndexForm, conversion);
  }

  async function work(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
    keys: ProductKeys,
  ) {
    const converted = await convert(repository, recipe, context);
    const derived = derivedManifestOf(converted, recipe);
    // Recipes first: a client that gets a digest may request its content at once, and from another replica.
    await recipes.putAll(repository, derived, context);
    const configs = derivedConfigs(converted);
    await Promise.all(
      configs.map(([digest, bytes]) => content.putDerivedConfig(repository, digest, bytes, context)),
    );
    await turn(derived.body.length);
    const key = converted.platformSpecific ? keys.own : keys.anyPlatform;
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

  async function make(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
  ): Promise<DerivedManifest> {
    const keyId = recipe.form === 'schema1' ? (await signingKey()).id : unsignedId;
    const keys = derivedManifestKeys(upstream, repository, recipe, keyId);
    const known = await knownIn(repository, recipe, keys, context);
    if (known) return known;
    const late = () => new RegistryError('UPSTREAM_TIMEOUT', 'The conversion took too long. Try again.');
    // Other requests wait for it too: the one that began it may end, and it goes on as long as one of them waits.
    let isOwn = false;
    const start = (abandoned: () => AbortSignal) => {
      isOwn = true;
      const signal = abandoned();
      const own = { ...context, signal };
      const make = () => timed(recipe, signal, () => work(repository, recipe, own, keys));
      // Work with limits may leave content out, and then no shared cache gets its product.
      if (limits !== '') return make();
      const find = () => knownIn(repository, recipe, keys, own);
      return doOnce(cache, { key: keys.own, find, make, budget: own.budget, signal });
    };
    const limited = context.mayFetch ? ' looked-at' : context.knownLayersOnly ? ' known-layers' : '';
    const limits = `${limited}${context.inBackground ? ' background' : ''}`;
    const flight = `${keys.own}${limits}`;
    const whose = credentialKey(context.credential);
    const product = await flights.join({ key: flight, credential: whose, start, late }, context.signal);
    // Content that upstream did not give to the request that began it was left out, and may be available to this one.
    if (product.complete || isOwn) return product;
    return flights.join({ key: `${flight} ${whose}`, credential: whose, start, late }, context.signal);
  }

  async function productIn({ anyPlatform, own }: ProductKeys, { budget }: RequestContext) {
    const known = await cache.get(anyPlatform, budget);
    if (known) return derivedManifestOfEntry(known, false);
    const ofPlatform = own === anyPlatform ? undefined : await cache.get(own, budget);
    return ofPlatform && derivedManifestOfEntry(ofPlatform, true);
  }

  async function knownIn(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    keys: ProductKeys,
    context: RequestContext,
  ): Promise<DerivedManifest | undefined> {
    const derived = await productIn(keys, context);
    if (derived === undefined) return undefined;
    count(recipe, 'remembered', 0);
    await recipes.restore(repository, derived, context);
    return derived;
  }

  const indexKeys = (repository: RepositoryName, recipe: ManifestRecipe) =>
    derivedManifestKeys(upstream, repository, recipe, unsignedId);

  return {
    ports,
    convert: make,
    convertInBackground: (repository, recipe, context) =>
      work(repository, recipe, context, indexKeys(repository, recipe)),
    knownProduct: (repository, recipe, context) =>
      knownIn(repository, recipe, indexKeys(repository, recipe), context),
    cachedProduct(repository, recipe) {
      const { own } = indexKeys(repository, recipe);
      const entry = cache.getLocal?.(own);
      return entry && derivedManifestOfEntry(entry, false);
    },
    productKey: (repository, recipe) => indexKeys(repository, recipe).own,
    recipeOf: recipes.recipeOf,
    cachedRecipe: recipes.cachedRecipe,
    needsRepublish: recipes.needsRepublish,

    async config(repository, digest, recipe, context) {
      const cached = await content.getDerivedConfig(repository, digest, context);
      if (cached) return cached;
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
