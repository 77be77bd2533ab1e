import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { Failure } from '../../errors.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Resolver } from '../resolver.ts';
import { findStoredBlob, isAbsence } from '../stored-blob.ts';
import {
  type BlobMaker,
  type MadeBlob,
  type MadeContent,
  type MadeManifest,
  madeContentOf,
  openMadeBlob,
} from './made-content.ts';
import { findStoredManifest, type ManifestUploader, putMadeManifest } from './made-manifest.ts';
import { contentNamedBy } from './named-content.ts';
import { uploadBlob } from './upload-blob.ts';

export interface MissingContentParts extends ManifestUploader, BlobMaker {
  readonly resolver: Resolver;
}

export interface Push {
  readonly repository: RepositoryName;
  readonly caller: Caller;
  /** Upstream has refused a manifest that names the content: no other answer but "stored" says that it is there. */
  readonly isRefused: boolean;
}

/** Blobs of one push that are uploaded at the same time: a compressed layer takes a decoder's memory. */
const uploads = 2;

/**
 * Uploads the content that the registry lacks and regshift can make: the client has pulled it from here, and was told
 * that it is there. All requests carry the client's own login. The client must have the right to read what the content
 * is made from; without that right, nothing tells it that the content can be made.
 * @returns the digests that were uploaded.
 * @throws Failure as upstream refuses an upload, or as the content cannot be made at the moment.
 */
export async function uploadMissing(
  parts: MissingContentParts,
  push: Push,
  { blobs, manifests }: MadeContent,
): Promise<Digest[]> {
  const uploaded = await uploadBlobs(parts, push, blobs);
  // A registry takes a manifest after all that it names.
  for (const manifest of manifests) uploaded.push(...(await uploadMadeManifest(parts, push, manifest)));
  return uploaded;
}

/** The first failure ends the other uploads, which cancel what they have begun: the manifest is not passed on. */
async function uploadBlobs(parts: MissingContentParts, push: Push, blobs: readonly MadeBlob[]) {
  const { caller } = push;
  const end = new AbortController();
  const signal = caller.signal ? AbortSignal.any([caller.signal, end.signal]) : end.signal;
  const own = { ...push, caller: { ...caller, signal } };
  const failures: unknown[] = [];
  const uploaded = await mapBounded(blobs, uploads, async (blob) => {
    if (failures.length > 0) return [];
    return uploadMadeBlob(parts, own, blob).catch((error: unknown) => {
      failures.push(error);
      end.abort(error);
      return [];
    });
  });
  if (failures.length > 0) throw failures[0];
  return uploaded.flat();
}

async function uploadMadeBlob(parts: MissingContentParts, push: Push, blob: MadeBlob): Promise<Digest[]> {
  const { repository, caller } = push;
  const stored = findStoredBlob(parts.client, repository, blob.digest, caller);
  if (!(await isMissing(stored, push))) return [];
  if (blob.recipe !== 'empty layer' && !(await mayRead(parts, push, blob.recipe.root))) return [];
  const content = await openMadeBlob(parts, repository, blob, caller);
  if (!content) return [];
  await uploadBlob(parts, repository, content, caller);
  return [blob.digest];
}

async function uploadMadeManifest(
  parts: MissingContentParts,
  push: Push,
  { digest, recipe }: MadeManifest,
): Promise<Digest[]> {
  const { repository, caller } = push;
  if (!(await isMissing(findStoredManifest(parts.client, repository, digest, caller), push))) return [];
  if (!(await mayRead(parts, push, recipe.root))) return [];
  const product = await parts.workshop.make(repository, recipe, caller);
  // A recipe of an older version may make other bytes today.
  if (product.digest !== digest) return [];
  const recipes = new Map(product.recipes);
  const find = (each: Digest) => recipes.get(each) ?? parts.workshop.recipeAtHand(repository, each);
  const named = madeContentOf(contentNamedBy(product.body, product.mediaType), find);
  const before = await uploadMissing(parts, push, named);
  await putMadeManifest(parts, repository, product, caller);
  return [...before, digest];
}

/** Other answers tell nothing of the content: upstream gives its own answer to the client's manifest. */
async function isMissing(stored: Promise<unknown>, { isRefused }: Push): Promise<boolean> {
  try {
    await stored;
    return false;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return isRefused || isAbsence(error);
  }
}

/** The right to made content is the right to the image that it is made from. */
export async function mayRead(
  { resolver }: Pick<MissingContentParts, 'resolver'>,
  { repository, caller }: Pick<Push, 'repository' | 'caller'>,
  root: Digest,
): Promise<boolean> {
  const reference = { kind: 'digest', digest: root } as const;
  return resolver.resolve(repository, reference, caller).then(
    () => true,
    () => false,
  );
}
