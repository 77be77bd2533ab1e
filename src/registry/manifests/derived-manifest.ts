import type { Converted, Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { Loss } from '../../../converters/model.ts';
import type { CacheEntry } from '../../cache/cache.ts';
import { type ManifestRecipe, manifestRecipe, type Recipe } from './recipe.ts';

/** A manifest that a conversion made, ready to be sent. */
export interface DerivedManifest {
  readonly form: Form;
  readonly mediaType: string;
  /** Its digest; of signed schema 1, that of the payload. */
  readonly digest: Digest;
  readonly body: Uint8Array;
  /** The stored manifest that it was made from. */
  readonly source: Digest;
  readonly sourceType: string;
  readonly losses: readonly Loss[];
  /** No content was unavailable and left out: made again, the manifest is the same. */
  readonly complete: boolean;
  /** As of `Converted`; also true for a list that an earlier version stored for one platform. */
  readonly platformSpecific: boolean;
  /** The recipes of the manifest, and of all content that it names and upstream does not have. */
  readonly recipes: readonly (readonly [Digest, Recipe])[];
}

export function derivedManifestOf(converted: Converted, recipe: ManifestRecipe): DerivedManifest {
  const { form, mediaType, digest, body, source, sourceType, losses, platformSpecific } = converted;
  const recipes = recipesOf(converted, recipe);
  const complete = isComplete(converted);
  return { form, mediaType, digest, body, source, sourceType, losses, complete, platformSpecific, recipes };
}

function recipesOf(converted: Converted, recipe: ManifestRecipe): (readonly [Digest, Recipe])[] {
  const { converters, root } = recipe;
  const blobs = converted.blobs.map((blob): readonly [Digest, Recipe] =>
    blob.kind === 'config'
      ? [blob.digest, { product: 'config', converters, root, manifest: recipe }]
      : [blob.digest, { product: 'layer', converters, root, packed: blob.packed, size: blob.size }],
  );
  const children = converted.children.flatMap((child) => {
    const { source, sourceType, kind, form } = child;
    // Made alone, a child is to have the bytes that it has here, so all else is as for its parent.
    const own = manifestRecipe({ ...recipe, source, sourceType, kind, form, tag: '' });
    return recipesOf(child, own);
  });
  // Schema 1 that was only signed has the digest of the stored manifest, which upstream has.
  const own = converted.digest === recipe.source ? [] : [[converted.digest, recipe] as const];
  return [...own, ...blobs, ...children];
}

/** The configs that a conversion made for a manifest and its children. */
export function derivedConfigs(converted: Converted): (readonly [Digest, Uint8Array])[] {
  const own = converted.blobs.flatMap((blob): (readonly [Digest, Uint8Array])[] =>
    blob.kind === 'config' ? [[blob.digest, blob.bytes]] : [],
  );
  return [...own, ...converted.children.flatMap(derivedConfigs)];
}

/** Whether no content was unavailable and left out of a manifest or of its children. */
export function isComplete({ losses, children }: Converted): boolean {
  return losses.every(({ kind }) => kind !== 'missing') && children.every(isComplete);
}

/** The cache entry of a complete manifest; an incomplete one is not cached. Its key tells whether it is for one platform. */
export function entryOfDerivedManifest(derived: DerivedManifest): CacheEntry {
  const { body, complete: _, platformSpecific: __, ...facts } = derived;
  return { facts, body };
}

export function derivedManifestOfEntry(
  { facts, body }: CacheEntry,
  platformSpecific: boolean,
): DerivedManifest {
  const stored = facts as unknown as Omit<DerivedManifest, 'body' | 'complete' | 'platformSpecific'>;
  return { ...stored, complete: true, platformSpecific, body };
}
