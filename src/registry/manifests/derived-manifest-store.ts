import type { RepositoryName } from '../../../converters/reference.ts';
import type { Cache } from '../../cache/cache.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import { type DerivedManifest, derivedManifestOfEntry, entryOfDerivedManifest } from './derived-manifest.ts';
import { derivedManifestKeys, type ManifestRecipe, type ProductKeys } from './recipe.ts';

export interface DerivedManifestStoreOptions {
  /** The upstream's id, for keys. */
  readonly upstream: string;
  readonly cache: Cache;
}

/** The products of recipes, by their keys. */
export interface DerivedManifestStore {
  /** The keys of a recipe's product. @param signer the id of the signing key, for signed schema 1. */
  keysOf(repository: RepositoryName, recipe: ManifestRecipe, signer?: string): ProductKeys;
  /** The product, if this replica or a shared cache has it. */
  get(keys: ProductKeys, context: RequestContext): Promise<DerivedManifest | undefined>;
  /** The product, if this replica has it in memory. */
  getLocal(keys: ProductKeys): DerivedManifest | undefined;
  /** Puts a product, unless content was left out of it. */
  put(keys: ProductKeys, derived: DerivedManifest, context: RequestContext): Promise<void>;
}

/** Stands for the signing key in the keys of products that are not signed. */
const unsignedId = '-';

export function createDerivedManifestStore(options: DerivedManifestStoreOptions): DerivedManifestStore {
  const { upstream, cache } = options;
  return {
    keysOf: (repository, recipe, signer = unsignedId) =>
      derivedManifestKeys(upstream, repository, recipe, signer),

    async get({ anyPlatform, own }, { budget }) {
      const known = await cache.get(anyPlatform, budget);
      if (known) return derivedManifestOfEntry(known, false);
      const ofPlatform = own === anyPlatform ? undefined : await cache.get(own, budget);
      return ofPlatform && derivedManifestOfEntry(ofPlatform, true);
    },

    getLocal({ own }) {
      const entry = cache.getLocal?.(own);
      return entry && derivedManifestOfEntry(entry, false);
    },

    async put({ anyPlatform, own }, derived, { budget }) {
      if (!derived.complete) return;
      await cache.set(derived.platformSpecific ? own : anyPlatform, entryOfDerivedManifest(derived), budget);
    },
  };
}
