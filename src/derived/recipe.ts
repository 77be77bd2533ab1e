import { convertersVersion, type Form } from '../../converters/convert.ts';
import type { Digest } from '../../converters/digest.ts';

/**
 * How a manifest that upstream does not have is made: everything that its bytes depend on. Small and immutable;
 * any replica can follow it.
 */
export interface Recipe {
  /** The stored manifest that it is made from. */
  readonly source: Digest;
  /**
   * What upstream was asked for when it was made: the source itself, or the index that names it. Whoever wants the
   * product must have the right to read this. (Upstream may hold the source as a blob only.)
   */
  readonly root: Digest;
  readonly kind: 'image' | 'index';
  readonly form: Form;
  /** Schema 1 holds the tag: "" for none. Other forms do not depend on it. */
  readonly tag: string;
}

/**
 * The key of what a recipe makes. Schema 1 holds the repository's name, and its signature the key; both are in the
 * key, as is the converters' version.
 */
export function productKey(upstream: string, repository: string, recipe: Recipe, keyId: string): string {
  const parts = [recipe.source, recipe.kind, recipe.form, recipe.tag, keyId, `v${convertersVersion}`];
  return `product ${upstream} ${repository} ${parts.join(' ')}`;
}

/** The key under which the recipe of a derived digest is found. */
export function recipeKey(upstream: string, repository: string, digest: Digest): string {
  return `recipe ${upstream} ${repository} ${digest}`;
}
