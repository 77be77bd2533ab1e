import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import { streamFromSource } from '../../layers/byte-stream.ts';
import type { DecompressedLayer } from '../../layers/decompressed-layer.ts';
import type { LayerService } from '../../layers/layer-service.ts';
import type { ManifestConverter } from '../manifests/converter.ts';
import type { ManifestRecipe, Recipe } from '../manifests/recipe.ts';
import type { NamedContent } from './named-content.ts';
import type { BlobContent, Pusher } from './upload-blob.ts';

/** A blob that regshift can make. The empty layer needs no recipe: its bytes never differ. */
export interface DerivedBlobSource {
  readonly digest: Digest;
  readonly recipe: Exclude<Recipe, ManifestRecipe> | 'empty layer';
}

export interface DerivedManifestSource {
  readonly digest: Digest;
  readonly recipe: ManifestRecipe;
}

/** Content that a manifest names and regshift can make. */
export interface DerivedContent {
  readonly blobs: readonly DerivedBlobSource[];
  readonly manifests: readonly DerivedManifestSource[];
}

/** The content of a manifest that has a recipe. @param find the recipe of a digest, if it is known. */
export function derivedContentOf(
  { blobs, manifests }: NamedContent,
  find: (digest: Digest) => Recipe | undefined,
): DerivedContent {
  return {
    blobs: blobs.flatMap((digest): DerivedBlobSource[] => {
      if (digest === emptyLayer.digest) return [{ digest, recipe: 'empty layer' }];
      const recipe = find(digest);
      return recipe && recipe.product !== 'manifest' ? [{ digest, recipe }] : [];
    }),
    manifests: manifests.flatMap((digest): DerivedManifestSource[] => {
      const recipe = find(digest);
      return recipe?.product === 'manifest' ? [{ digest, recipe }] : [];
    }),
  };
}

export interface DerivedBlobReader {
  readonly converter: ManifestConverter;
  readonly layers: LayerService;
}

/** Makes a blob. @throws RegistryError as upstream refuses its source. */
export async function openDerivedBlob(
  { converter, layers }: DerivedBlobReader,
  pusher: Pusher,
  { digest, recipe }: DerivedBlobSource,
): Promise<BlobContent> {
  const { repository, context } = pusher;
  if (recipe === 'empty layer') return contentOf(digest, emptyLayer.bytes);
  if (recipe.product === 'config') {
    return contentOf(digest, await converter.config(repository, digest, recipe, context));
  }
  return openDerivedLayer(layers, pusher, { digest, size: recipe.size, compressed: recipe.packed });
}

/** Makes a decompressed layer. @throws RegistryError. */
export async function openDerivedLayer(
  layers: LayerService,
  { repository, context }: Pusher,
  layer: DecompressedLayer,
): Promise<BlobContent> {
  const { digest, size } = layer;
  return { digest, size, stream: await layers.open(repository, layer, context, { verifies: true }) };
}

/** Bytes in memory as the content of an upload. */
export function contentOf(digest: Digest, bytes: Uint8Array): BlobContent {
  return { digest, size: bytes.length, stream: streamFromSource(bytes) };
}
