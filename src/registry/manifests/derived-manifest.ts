import type { Converted, Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { Loss } from '../../../converters/model.ts';
import type { CacheEntry } from '../../cache/cache.ts';
import { type ManifestRecipe, manifestRecipe, type Recipe } from './recipe.ts';

/** A manifest that was made, ready to be sent. */
export interface DerivedManifest {
  readonly form: Form;
  readonly mediaType: string;
  /** What it is called: of signed schema 1 the digest of the payload. */
  readonly digest: Digest;
  readonly body: Uint8Array;
  /** The stored manifest that it was made from, and the media type of that. */
  readonly source: Digest;
  readonly sourceType: string;
  readonly losses: readonly Loss[];
  /** Nothing that could not be had was left out: made again, it is the same. */
  readonly complete: boolean;
  /** How it was made, and everything that it names and upstream does not have. */
  readonly recipes: readonly (readonly [Digest, Recipe])[];
}

export function derivedManifestOf(converted: Converted, recipe: ManifestRecipe): DerivedManifest {
  const { form, mediaType, digest, body, source, sourceType, losses } = converted;
  const recipes = recipesOf(converted, recipe);
  const complete = isComplete(converted);
  return { form, mediaType, digest, body, source, sourceType, losses, complete, recipes };
}

function recipesOf(converted: Converted, recipe: ManifestRecipe): (readonly [Digest, Recipe])[] {
  const { converters, root, unpackZstd, layersOf } = recipe;
  const blobs = converted.blobs.map((blob): readonly [Digest, Recipe] =>
    blob.kind === 'config'
      ? [blob.digest, { product: 'config', converters, root, manifest: recipe }]
      : [blob.digest, { product: 'layer', converters, root, packed: blob.packed, size: blob.size }],
  );
  const children = converted.children.flatMap((child) => {
    const { source, sourceType, kind, form } = child;
    const own = manifestRecipe({ source, sourceType, root, kind, form, tag: '', unpackZstd, layersOf });
    return recipesOf(child, own);
  });
  // Schema 1 that was only signed has the digest of what is stored: that is upstream's, and not derived.
  const own = converted.digest === recipe.source ? [] : [[converted.digest, recipe] as const];
  return [...own, ...blobs, ...children];
}

/** The made configs of a manifest and of its children. */
export function derivedConfigs(converted: Converted): (readonly [Digest, Uint8Array])[] {
  const own = converted.blobs.flatMap((blob): (readonly [Digest, Uint8Array])[] =>
    blob.kind === 'config' ? [[blob.digest, blob.bytes]] : [],
  );
  return [...own, ...converted.children.flatMap(derivedConfigs)];
}

function isComplete({ losses, children }: Converted): boolean {
  return losses.every(({ kind }) => kind !== 'missing') && children.every(isComplete);
}

/** Only what is complete is to be remembered. */
export function entryOfDerivedManifest({ body, complete: _, ...facts }: DerivedManifest): CacheEntry {
  return { facts, body };
}

export function derivedManifestOfEntry({ facts, body }: CacheEntry): DerivedManifest {
  return { ...(facts as unknown as Omit<DerivedManifest, 'body' | 'complete'>), complete: true, body };
}
