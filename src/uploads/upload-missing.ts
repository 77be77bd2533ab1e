import { mapBounded } from '../../converters/concurrency.ts';
import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import type { Caller, Resolver } from '../stored/resolve.ts';
import { findStoredBlob, isAbsence } from '../stored/stored-blob.ts';
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
 * @returns the number of uploads.
 * @throws Failure as upstream refuses an upload, or as the content cannot be made at the moment.
 */
export async function uploadMissing(
  parts: MissingContentParts,
  push: Push,
  { blobs, manifests }: MadeContent,
): Promise<number> {
  const counts = await together(push, (own) =>
    mapBounded(blobs, uploads, (blob) => uploadMadeBlob(parts, own, blob)),
  );
  // A registry takes a manifest after all that it names.
  for (const manifest of manifests) counts.push(await uploadMadeManifest(parts, push, manifest));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The first failure ends the other uploads: the manifest is not passed on after it. */
async function together<Result>(push: Push, work: (push: Push) => Promise<Result>): Promise<Result> {
  const { caller } = push;
  const end = new AbortController();
  const signal = caller.signal ? AbortSignal.any([caller.signal, end.signal]) : end.signal;
  try {
    return await work({ ...push, caller: { ...caller, signal } });
  } catch (error) {
    end.abort(error);
    throw error;
  }
}

async function uploadMadeBlob(parts: MissingContentParts, push: Push, blob: MadeBlob): Promise<number> {
  const { repository, caller } = push;
  const stored = findStoredBlob(parts.client, repository, blob.digest, caller);
  if (!(await isMissing(stored, push))) return 0;
  if (blob.recipe !== 'empty layer' && !(await mayRead(parts, push, blob.recipe.root))) return 0;
  const content = await openMadeBlob(parts, repository, blob, caller);
  if (!content) return 0;
  await uploadBlob(parts, repository, content, caller);
  return 1;
}

async function uploadMadeManifest(
  parts: MissingContentParts,
  push: Push,
  { digest, recipe }: MadeManifest,
): Promise<number> {
  const { repository, caller } = push;
  if (!(await isMissing(findStoredManifest(parts.client, repository, digest, caller), push))) return 0;
  if (!(await mayRead(parts, push, recipe.root))) return 0;
  const product = await parts.workshop.make(repository, recipe, caller);
  // A recipe of an older version may make other bytes today.
  if (product.digest !== digest) return 0;
  const recipes = new Map(product.recipes);
  const find = (each: Digest) => recipes.get(each) ?? parts.workshop.recipeAtHand(repository, each);
  const named = madeContentOf(contentNamedBy(product.body, product.mediaType), find);
  const before = await uploadMissing(parts, push, named);
  await putMadeManifest(parts, repository, product, caller);
  return before + 1;
}

/** What upstream answers otherwise is upstream's to say again when the client's manifest is passed on. */
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
