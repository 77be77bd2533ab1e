import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import { eitherSignal } from '../../concurrency/deadline.ts';
import { ignoring, RegistryError } from '../../errors.ts';
import { streamFromSource } from '../../layers/byte-stream.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { headManifest, pushManifest } from '../../upstream/api/manifests.ts';
import { hasStatus, isAbsence } from '../../upstream/error-response.ts';
import type { DerivedManifest } from '../manifests/derived-manifest.ts';
import { type RepositoryVersions, recorded } from '../repository-versions.ts';
import type { Resolver } from '../resolver.ts';
import {
  type DerivedBlobReader,
  type DerivedBlobSource,
  type DerivedContent,
  type DerivedManifestSource,
  derivedContentOf,
  openDerivedBlob,
} from './derived-content.ts';
import { contentNamedBy } from './named-content.ts';
import { type Pusher, type Uploader, uploadBlob } from './upload-blob.ts';

export interface UploadMissingOptions extends Uploader, DerivedBlobReader {
  readonly versions: RepositoryVersions;
  readonly resolver: Resolver;
}

export interface Push extends Pusher {
  /** Upstream has refused a manifest that names the content: then only a successful response says that it has it. */
  readonly isRefused: boolean;
}

/** Blobs of one push that are uploaded at the same time: a compressed layer takes a decoder's memory. */
const uploads = 2;

/**
 * Uploads content that the registry lacks and regshift can make. The client has pulled the content from regshift, and a
 * HEAD told it that the content is there. All requests carry the client's own login. The client must have the right to
 * read the image that the content is made from; without that right, nothing is uploaded and no error says why.
 * @returns the digests that were uploaded.
 * @throws RegistryError as upstream refuses an upload, or as the content cannot be made at the moment.
 */
export async function uploadMissing(
  parts: UploadMissingOptions,
  push: Push,
  { blobs, manifests }: DerivedContent,
): Promise<Digest[]> {
  const uploaded = await uploadBlobs(parts, push, blobs);
  // A registry takes a manifest only after the content that it names.
  for (const manifest of manifests) uploaded.push(...(await uploadDerivedManifest(parts, push, manifest)));
  return uploaded;
}

/** The first error ends the other uploads, which cancel what they have begun: the manifest is not forwarded. */
async function uploadBlobs(parts: UploadMissingOptions, push: Push, blobs: readonly DerivedBlobSource[]) {
  const { context } = push;
  const end = new AbortController();
  const signal = eitherSignal(context.signal, end.signal);
  const own = { ...push, context: { ...context, signal } };
  const failures: unknown[] = [];
  const uploaded = await mapBounded(blobs, uploads, async (blob) => {
    if (failures.length > 0) return [];
    return uploadDerivedBlob(parts, own, blob).catch((error: unknown) => {
      failures.push(error);
      end.abort(error);
      return [];
    });
  });
  if (failures.length > 0) throw failures[0];
  return uploaded.flat();
}

async function uploadDerivedBlob(
  parts: UploadMissingOptions,
  push: Push,
  blob: DerivedBlobSource,
): Promise<Digest[]> {
  const { repository, context } = push;
  const stored = findBlob(parts.client, repository, blob.digest, context);
  if (!(await isMissing(stored, push))) return [];
  if (blob.recipe !== 'empty layer' && !(await mayRead(parts.resolver, push, blob.recipe.root))) return [];
  // The source of the blob may be deleted.
  const content = await openDerivedBlob(parts, push, blob).catch(ignoring(isAbsence));
  if (!content) return [];
  await uploadBlob(parts, push, content);
  return [blob.digest];
}

async function uploadDerivedManifest(
  parts: UploadMissingOptions,
  push: Push,
  { digest, recipe }: DerivedManifestSource,
): Promise<Digest[]> {
  const { repository, context } = push;
  if (!(await isMissing(headManifest(parts.client, repository, digest, context), push))) return [];
  if (!(await mayRead(parts.resolver, push, recipe.root))) return [];
  const derived = await parts.converter.convert(repository, recipe, context);
  // A recipe of an older version may make other bytes today.
  if (derived.digest !== digest) return [];
  const recipes = new Map(derived.recipes);
  const find = (each: Digest) => recipes.get(each) ?? parts.converter.cachedRecipe(repository, each);
  await parts.client.turn?.(derived.body.length);
  const named = derivedContentOf(contentNamedBy(derived.body, derived.mediaType), find);
  const before = await uploadMissing(parts, push, named);
  const isTaken = await pushByDigest(parts, push, derived).then(() => true, unlessOfForm);
  return isTaken ? [...before, digest] : before;
}

/**
 * The registry may not take the form that the client pulled. Then it refuses what the client pushes, too, which is
 * converted (`PushConverter`).
 */
const unlessOfForm = ignoring((error) => [400, 405, 415].some((status) => hasStatus(error, status)));

/** Pushes a manifest under its digest. @throws RegistryError as upstream refuses it. */
export async function pushByDigest(
  { client, fixedLength, versions }: Uploader & Pick<UploadMissingOptions, 'versions'>,
  { repository, context }: Pusher,
  { digest, mediaType, body }: Pick<DerivedManifest, 'digest' | 'mediaType' | 'body'>,
): Promise<void> {
  const manifest = { mediaType, size: body.length, body: fixedLength(streamFromSource(body), body.length) };
  await recorded(versions, repository, () => pushManifest(client, repository, digest, manifest, context));
}

/** Whether upstream lacks the content. Errors that do not tell are left to upstream's response to the manifest. */
async function isMissing(stored: Promise<unknown>, { isRefused }: Push): Promise<boolean> {
  try {
    await stored;
    return false;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return isRefused || isAbsence(error);
  }
}

/** Whether the request has the right to derived content, which is the right to the manifest that it is made from. */
export async function mayRead(
  resolver: Pick<Resolver, 'resolve'>,
  { repository, context }: Pusher,
  root: Digest,
): Promise<boolean> {
  const reference = { kind: 'digest', digest: root } as const;
  return resolver.resolve(repository, reference, context).then(
    () => true,
    () => false,
  );
}
