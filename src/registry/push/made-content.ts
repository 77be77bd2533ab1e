import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { streamOf } from '../../layers/byte-stream.ts';
import type { LayerDesk } from '../../layers/layer-service.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Workshop } from '../manifests/converter.ts';
import type { ManifestRecipe, Recipe } from '../manifests/recipe.ts';
import { isAbsence } from '../stored-blob.ts';
import type { BlobContent } from './blob-content.ts';
import type { NamedContent } from './named-content.ts';

/** A blob that regshift can make. The empty layer needs no recipe: its bytes are the same everywhere. */
export interface MadeBlob {
  readonly digest: Digest;
  readonly recipe: Exclude<Recipe, ManifestRecipe> | 'empty layer';
}

export interface MadeManifest {
  readonly digest: Digest;
  readonly recipe: ManifestRecipe;
}

/** Content that a manifest names and regshift can make. */
export interface MadeContent {
  readonly blobs: readonly MadeBlob[];
  readonly manifests: readonly MadeManifest[];
}

/** @param find the recipe of a digest, as far as it is known. */
export function madeContentOf(
  { blobs, manifests }: NamedContent,
  find: (digest: Digest) => Recipe | undefined,
): MadeContent {
  return {
    blobs: blobs.flatMap((digest): MadeBlob[] => {
      if (digest === emptyLayer.digest) return [{ digest, recipe: 'empty layer' }];
      const recipe = find(digest);
      return recipe && recipe.product !== 'manifest' ? [{ digest, recipe }] : [];
    }),
    manifests: manifests.flatMap((digest): MadeManifest[] => {
      const recipe = find(digest);
      return recipe?.product === 'manifest' ? [{ digest, recipe }] : [];
    }),
  };
}

export interface BlobMaker {
  readonly workshop: Workshop;
  readonly layers: LayerDesk;
}

/** @returns undefined where what the blob is made from is gone. @throws Failure. */
export async function openMadeBlob(
  maker: BlobMaker,
  repository: RepositoryName,
  made: MadeBlob,
  caller: Caller,
): Promise<BlobContent | undefined> {
  try {
    return await open(maker, repository, made, caller);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

async function open(
  { workshop, layers }: BlobMaker,
  repository: RepositoryName,
  { digest, recipe }: MadeBlob,
  caller: Caller,
): Promise<BlobContent> {
  if (recipe === 'empty layer') return contentOf(digest, emptyLayer.bytes);
  if (recipe.product === 'config') {
    return contentOf(digest, await workshop.config(repository, digest, recipe, caller));
  }
  const { packed, size } = recipe;
  return { digest, size, stream: await layers.open(repository, { packed, digest, size }, undefined, caller) };
}

function contentOf(digest: Digest, bytes: Uint8Array): BlobContent {
  return { digest, size: bytes.length, stream: streamOf(bytes) };
}
