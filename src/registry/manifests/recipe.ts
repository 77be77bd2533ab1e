import { convertersVersion, type Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import { joinKey } from '../../cache/key.ts';

/**
 * How something that upstream does not have is made: everything that its bytes depend on. Small and immutable; any
 * replica can follow it.
 */
export type Recipe = ManifestRecipe | ConfigRecipe | LayerRecipe;

interface Rooted {
  /** Of the converters that make it: those of another version may make other bytes (`recipeOf`). */
  readonly converters: number;
  /**
   * What upstream was asked for when it was made: the source itself, or the index that names it. Whoever wants the
   * product must have the right to read this. (Upstream may hold the source as a blob only.)
   */
  readonly root: Digest;
}

export interface ManifestRecipe extends Rooted {
  readonly product: 'manifest';
  /** The stored manifest that it is made from. */
  readonly source: Digest;
  /** The type that it is read as: what an index says of an entry, or upstream, need not stand in the document. */
  readonly sourceType: string;
  readonly kind: 'image' | 'index';
  readonly form: Form;
  /** Schema 1 holds the tag: "" for none. Other forms do not depend on it. */
  readonly tag: string;
  /** Whether zstd layers are named as the plain tars that they hold. */
  readonly unpackZstd: boolean;
  /** Of an index: the platform whose layers may be read, like `linux/arm/v7`; "" where it does not matter. */
  readonly layersOf: string;
}

/** A config that was made for an image without one; it comes with its manifest. */
export interface ConfigRecipe extends Rooted {
  readonly product: 'config';
  readonly manifest: ManifestRecipe;
}

/** A layer served unpacked. */
export interface LayerRecipe extends Rooted {
  readonly product: 'layer';
  /** The layer as upstream has it. */
  readonly packed: Digest;
  /** Bytes unpacked. */
  readonly size: number;
}

/** A recipe with nothing in it that its product does not depend on: one product has one recipe. */
export function manifestRecipe(recipe: Omit<ManifestRecipe, 'product' | 'converters'>): ManifestRecipe {
  const schema1 = recipe.form === 'schema1';
  return {
    ...recipe,
    product: 'manifest',
    converters: convertersVersion,
    tag: schema1 ? recipe.tag : '',
    // No client of schema 1 unpacks zstd; skopeo 1.9 and containerd 1.6 refuse the type that schema 2 has for it.
    unpackZstd: schema1 || recipe.form === 'schema2' || recipe.unpackZstd,
    layersOf: recipe.kind === 'index' ? recipe.layersOf : '',
  };
}

/**
 * The key of what a recipe makes. Schema 1 holds the repository's name, and its signature the key; both are in the
 * key, as is the converters' version.
 */
export function derivedManifestKey(
  upstream: string,
  repository: string,
  recipe: ManifestRecipe,
  keyId: string,
): string {
  const { source, sourceType, root, kind, form, tag, unpackZstd, layersOf } = recipe;
  const parts = [
    source,
    sourceType,
    root,
    kind,
    form,
    tag,
    unpackZstd ? 'tar' : 'any',
    layersOf,
    keyId,
    `v${convertersVersion}`,
  ];
  return joinKey('product', upstream, repository, ...parts);
}

/** A recipe that these converters can follow: what others have written is as good as lost, and is looked for again. */
export function isCurrent(recipe: Recipe): boolean {
  return recipe.converters === convertersVersion;
}

/** The key under which the recipe of a derived digest is found. */
export function recipeKey(upstream: string, repository: string, digest: Digest): string {
  return joinKey('recipe', upstream, repository, digest);
}
