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
import type { Metrics } from '../../observability/metrics.ts';
import { credentialKey } from '../../upstream/auth/credential.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { usualSharedWorkMs } from '../../upstream/timeouts.ts';
import { countConversion, timedConversion } from './conversion-metrics.ts';
import { conversionPorts, type PortSources } from './conversion-ports.ts';
import { type DerivedManifest, derivedConfigs, derivedManifestOf } from './derived-manifest.ts';
import { createDerivedManifestStore } from './derived-manifest-store.ts';
import type { ConfigRecipe, ManifestRecipe, ProductKeys } from './recipe.ts';
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

export function createManifestConverter(options: ManifestConverterOptions): ManifestConverter {
  const { content, cache, signingKey, turn, metrics } = options;
  const recipes = createRecipeStore(options);
  const products = createDerivedManifestStore(options);
  const flights = createSingleFlight<DerivedManifest>(
    options.deadlineMs ?? 2 * usualSharedWorkMs,
    options.background,
  );

  const ports = (repository: RepositoryName, context: RequestContext) =>
    conversionPorts(options, repository, context);

  /** Runs the conversion of a recipe, and keeps nothing of it. */
  async function run(
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

  /** Makes a product, and puts it and all that clients request after it into the cache. */
  async function make(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
    keys: ProductKeys,
  ): Promise<DerivedManifest> {
    const converted = await run(repository, recipe, context);
    const derived = derivedManifestOf(converted, recipe);
    // Recipes first: a client that gets a digest may request its content at once, and from another replica.
    await recipes.putAll(repository, derived, context);
    const configs = derivedConfigs(converted);
    await Promise.all(
      configs.map(([digest, bytes]) => content.putDerivedConfig(repository, digest, bytes, context)),
    );
    await turn(derived.body.length);
    await products.put(keys, derived, context);
    return derived;
  }

  /** The product in a cache, with all recipes in it. */
  async function find(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
    keys: ProductKeys,
  ): Promise<DerivedManifest | undefined> {
    const derived = await products.get(keys, context);
    if (derived === undefined) return undefined;
    countConversion(metrics, recipe, 'remembered');
    await recipes.restore(repository, derived, context);
    return derived;
  }

  /** Makes a product once for all requests that want it now. */
  async function makeShared(
    repository: RepositoryName,
    recipe: ManifestRecipe,
    context: RequestContext,
    keys: ProductKeys,
  ): Promise<DerivedManifest> {
    const limits = limitsOf(context);
    const flight = `${keys.own}${limits}`;
    const whose = credentialKey(context.credential);
    const late = () => new RegistryError('UPSTREAM_TIMEOUT', 'The conversion took too long. Try again.');
    // Other requests wait for it too: the one that began it may end, and it goes on as long as one of them waits.
    let isOwn = false;
    const start = (abandoned: () => AbortSignal) => {
      isOwn = true;
      const signal = abandoned();
      const own = { ...context, signal };
      const makeOwn = () =>
        timedConversion(metrics, recipe, signal, () => make(repository, recipe, own, keys));
      // Work with limits may leave content out, and then no shared cache gets its product.
      if (limits !== '') return makeOwn();
      const findOwn = () => find(repository, recipe, own, keys);
      return doOnce(cache, { key: keys.own, find: findOwn, make: makeOwn, budget: own.budget, signal });
    };
    const product = await flights.join({ key: flight, credential: whose, start, late }, context.signal);
    // Content that upstream did not give to the request that began it was left out, and may be available to this one.
    if (product.complete || isOwn) return product;
    return flights.join({ key: `${flight} ${whose}`, credential: whose, start, late }, context.signal);
  }

  return {
    ...recipes,
    ports,
    async convert(repository, recipe, context) {
      const signer = recipe.form === 'schema1' ? (await signingKey()).id : undefined;
      const keys = products.keysOf(repository, recipe, signer);
      const known = await find(repository, recipe, context, keys);
      return known ?? makeShared(repository, recipe, context, keys);
    },
    convertInBackground: (repository, recipe, context) =>
      make(repository, recipe, context, products.keysOf(repository, recipe)),
    knownProduct: (repository, recipe, context) =>
      find(repository, recipe, context, products.keysOf(repository, recipe)),
    cachedProduct: (repository, recipe) => products.getLocal(products.keysOf(repository, recipe)),
    productKey: (repository, recipe) => products.keysOf(repository, recipe).own,

    async config(repository, digest, recipe, context) {
      const cached = await content.getDerivedConfig(repository, digest, context);
      if (cached) return cached;
      const converted = await run(repository, recipe.manifest, context);
      const made = derivedConfigs(converted).find(([candidate]) => candidate === digest);
      if (made) return made[1];
      throw new RegistryError(
        'BLOB_UNKNOWN',
        `The config ${digest} can no longer be made. Pull the image again.`,
      );
    },
  };
}

/** The limits of a request's work, as a part of its key: only requests with equal limits share work. */
function limitsOf({ mayFetch, knownLayersOnly, inBackground }: RequestContext): string {
  const limited = mayFetch ? ' looked-at' : knownLayersOnly ? ' known-layers' : '';
  return `${limited}${inBackground ? ' background' : ''}`;
}
