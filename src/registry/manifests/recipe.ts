import { convertersVersion, type Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import { joinKey } from '../../cache/key.ts';

/**
 * The way to make content that upstream does not have: everything that its bytes depend on. A recipe is small and
 * immutable, and any replica can use it.
 */
export type Recipe = ManifestRecipe | ConfigRecipe | LayerRecipe;

interface Rooted {
  /** The version of the converters: another version may make other bytes (`isCurrent`). */
  readonly converters: number;
  /**
   * The manifest that was requested when it was made: the source itself, or the index that names it. A client needs the
   * right to read the root to get the product. (Upstream may have the source as a blob only.)
   */
  readonly root: Digest;
}

export interface ManifestRecipe extends Rooted {
  readonly product: 'manifest';
  /** The stored manifest that it is made from. */
  readonly source: Digest;
  /** The type that the source is read as, by its index or by upstream: the document need not have it. */
  readonly sourceType: string;
  readonly kind: 'image' | 'index';
  readonly form: Form;
  /** The tag inside schema 1, "" for none. Other forms do not depend on it. */
  readonly tag: string;
  /** Whether zstd layers are named as the plain tars inside them. */
  readonly unpackZstd: boolean;
  /** Whether the entries of inner indexes stand in their place. Absent in recipes before this could be. */
  readonly flatten?: true;
  /** Whether the gzip image of a platform stands for its zstd image, too. Absent as `flatten`. */
  readonly preferGzip?: true;
  /** As in `ConversionContext`. Absent where attestations do not stay anyway, and as `flatten`. */
  readonly dropAttestations?: 'also' | 'alone';
  /** Whether the first bytes of layers decide which are zstd, in place of their labels. Absent as `flatten`. */
  readonly probeLayers?: true;
  /**
   * For an index, the platform whose layers may be read, like `linux/arm/v7`; "" where it does not matter, and for the
   * list of all platforms.
   */
  readonly layersOf: string;
}

/** A config that was made for an image without one, together with its manifest. */
export interface ConfigRecipe extends Rooted {
  readonly product: 'config';
  readonly manifest: ManifestRecipe;
}

/** A layer that is served decompressed. */
export interface LayerRecipe extends Rooted {
  readonly product: 'layer';
  /** The digest of the compressed layer, which upstream has. */
  readonly packed: Digest;
  /** Bytes of the decompressed layer. */
  readonly size: number;
}

/** Creates a recipe without values that its product does not depend on, so that one product has one recipe. */
export function manifestRecipe(recipe: Omit<ManifestRecipe, 'product' | 'converters'>): ManifestRecipe {
  const { flatten, preferGzip, dropAttestations, probeLayers, ...rest } = recipe;
  const schema1 = recipe.form === 'schema1';
  // No client of schema 1 decompresses zstd; skopeo 1.9 and containerd 1.6 refuse the type that schema 2 has for it.
  const isAlone = dropAttestations === 'alone';
  const unpackZstd = !isAlone && (schema1 || recipe.form === 'schema2' || recipe.unpackZstd);
  const isIndex = recipe.kind === 'index';
  const keepsAttestations = isIndex && recipe.form === 'oci' && !unpackZstd;
  return {
    ...rest,
    ...(flatten && isIndex && recipe.form === 'oci' && !isAlone ? { flatten } : {}),
    ...(preferGzip && isIndex && unpackZstd ? { preferGzip } : {}),
    ...(dropAttestations && (isAlone || keepsAttestations) ? { dropAttestations } : {}),
    ...(probeLayers && unpackZstd ? { probeLayers } : {}),
    product: 'manifest',
    converters: convertersVersion,
    tag: schema1 ? recipe.tag : '',
    unpackZstd,
    layersOf: isIndex && !isAlone ? recipe.layersOf : '',
  };
}

/** The recipe of a list with all platforms: the layers of each of them are read. */
export function wholeListRecipe(recipe: ManifestRecipe): ManifestRecipe {
  return { ...recipe, layersOf: '' };
}

/** The cache keys of a recipe's product. */
export interface ProductKeys {
  /** The key for the platform of the recipe; all products of earlier versions are under it. */
  readonly own: string;
  /** The key of a product that is the same for all platforms. */
  readonly anyPlatform: string;
}

/**
 * The cache keys of a recipe's product. Schema 1 depends on the repository's name and the signing key, so both are in
 * the key, as is the converters' version. An index depends on the platform only if a layer is read for it, which the
 * conversion tells.
 */
export function derivedManifestKeys(
  upstream: string,
  repository: string,
  recipe: ManifestRecipe,
  keyId: string,
): ProductKeys {
  const { source, sourceType, root, kind, form, tag, unpackZstd, layersOf } = recipe;
  const before = [source, sourceType, root, kind, form, tag, unpackZstd ? 'tar' : 'any'];
  const after = [
    keyId,
    `v${convertersVersion}`,
    ...(recipe.flatten ? ['flat'] : []),
    ...(recipe.preferGzip ? ['gzip'] : []),
    ...(recipe.dropAttestations ? [`attestations-${recipe.dropAttestations}`] : []),
    ...(recipe.probeLayers ? ['probed'] : []),
  ];
  const keyFor = (platform: string) =>
    joinKey('product', upstream, repository, ...before, platform, ...after);
  return { own: keyFor(layersOf), anyPlatform: keyFor(layersOf === '' ? '' : '*') };
}

/** Whether these converters can use a recipe: one of another version counts as lost, and is searched for again. */
export function isCurrent(recipe: Recipe): boolean {
  return recipe.converters === convertersVersion;
}

/** The key under which the recipe of a derived digest is found. */
export function recipeKey(upstream: string, repository: string, digest: Digest): string {
  return joinKey('recipe', upstream, repository, digest);
}
