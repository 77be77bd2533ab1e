import { type ConversionContext, type Converted, convertImage } from '../../converters/convert.ts';
import { convertIndex, type IndexForm } from '../../converters/convert-index.ts';
import type { Digest } from '../../converters/digest.ts';
import type { Image, Index } from '../../converters/model.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { SigningKey } from '../../converters/schema1/signing-key.ts';
import type { Cache } from '../cache/cache.ts';
import { createSingleFlight } from '../concurrency/single-flight.ts';
import { Failure } from '../errors.ts';
import type { Content } from '../stored/content.ts';
import type { Caller } from '../stored/resolve.ts';
import { entryOfProduct, type Product, productOfEntry } from './product.ts';
import { productKey, type Recipe, recipeKey } from './recipe.ts';

export interface WorkshopOptions {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly content: Content;
  readonly cache: Cache;
  readonly signingKey: () => Promise<SigningKey>;
}

/**
 * Makes what upstream does not have, and knows how each thing was made. Rights are not asked about here: whoever
 * calls has proved that this caller may read the recipe's source.
 */
export interface Workshop {
  /** The product of a recipe, remembered or made. Its digest can be looked up from then on. */
  make(repository: RepositoryName, recipe: Recipe, caller: Caller): Promise<Product>;
  /** How a digest was made, if this replica, or a cache that it shares, knows. */
  recipeOf(repository: RepositoryName, digest: Digest): Promise<Recipe | undefined>;
  /** What conversions need, with the caller's right. */
  ports(repository: RepositoryName, caller: Caller): ConversionPorts;
}

const deadlineMs = 60_000;

export function createWorkshop(options: WorkshopOptions): Workshop {
  const { upstream, content, cache, signingKey } = options;
  const flights = createSingleFlight<Product>(deadlineMs);

  function ports(repository: RepositoryName, caller: Caller): ConversionPorts {
    return {
      fetchManifest: async ({ digest }) => (await content.manifest(repository, digest, caller)).bytes,
      fetchBlob: ({ digest }) => content.blob(repository, digest, caller),
      sniffLayer: ({ digest }) => content.sniff(repository, digest, caller),
      signingKey,
    };
  }

  async function work(
    repository: RepositoryName,
    recipe: Recipe,
    caller: Caller,
    key: string,
  ): Promise<Product> {
    const stored = await content.manifest(repository, recipe.source, caller);
    const model = readManifest(stored.bytes, stored.contentType);
    const context = { ports: ports(repository, caller), name: repository, tag: recipe.tag };
    const converted = await convert(model, recipe, context);
    // Recipes first: whoever is told a digest may ask for it at once, and of another replica.
    await remember(repository, converted, recipe);
    const product = productOf(converted);
    await cache.set(key, entryOfProduct(product));
    return product;
  }

  async function remember(repository: RepositoryName, converted: Converted, recipe: Recipe): Promise<void> {
    const entry = { facts: { ...recipe }, body: new Uint8Array() };
    await cache.set(recipeKey(upstream, repository, converted.digest), entry);
    for (const child of converted.children) {
      const { source, kind, form } = child;
      await remember(repository, child, { source, root: recipe.root, kind, form, tag: '' });
    }
  }

  /** A product outlives its recipe where the cache drops one and keeps the other: then the recipe is put back. */
  async function recalled(repository: RepositoryName, recipe: Recipe, product: Product): Promise<Product> {
    const key = recipeKey(upstream, repository, product.digest);
    if (!(await cache.get(key))) await cache.set(key, { facts: { ...recipe }, body: new Uint8Array() });
    return product;
  }

  return {
    ports,

    async make(repository, recipe, caller) {
      const keyId = recipe.form === 'schema1' ? (await signingKey()).id : '-';
      const key = productKey(upstream, repository, recipe, keyId);
      const known = await cache.get(key);
      if (known) return recalled(repository, recipe, productOfEntry(known));
      const late = () => new Failure('UPSTREAM_TIMEOUT', 'The conversion took too long. Try again.');
      return flights.join({ key, start: () => work(repository, recipe, caller, key), late }, caller.signal);
    },

    async recipeOf(repository, digest) {
      const entry = await cache.get(recipeKey(upstream, repository, digest));
      return entry?.facts as Recipe | undefined;
    },
  };
}

function convert(model: Image | Index, recipe: Recipe, context: ConversionContext): Promise<Converted> {
  return model.kind === 'image'
    ? convertImage(model, recipe.form, context)
    : convertIndex(model, recipe.form as IndexForm, context);
}

function productOf({ children: _children, kind: _kind, ...product }: Converted): Product {
  return product;
}
