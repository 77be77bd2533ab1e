import type { Digest } from '../../../converters/digest.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { headManifest } from '../../upstream/api/manifests.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import { contentOf } from './derived-content.ts';
import { type BlobContent, type Pusher, type Uploader, uploadBlob } from './upload-blob.ts';

/** Whether the registry has a blob in the repository. @throws RegistryError where it does not tell. */
export function hasBlob(client: UpstreamClient, { repository, context }: Pusher, digest: Digest) {
  return isThere(findBlob(client, repository, digest, context));
}

/** Whether the registry has a manifest in the repository. @throws RegistryError where it does not tell. */
export function hasManifest(client: UpstreamClient, { repository, context }: Pusher, digest: Digest) {
  return isThere(headManifest(client, repository, digest, context));
}

/** Uploads a blob that the registry does not have. @throws as `uploadBlob`. */
export async function uploadOnce(
  uploader: Uploader,
  pusher: Pusher,
  digest: Digest,
  open: () => Promise<BlobContent>,
): Promise<void> {
  if (await hasBlob(uploader.client, pusher, digest)) return;
  await uploadBlob(uploader, pusher, await open());
}

/** As `uploadOnce`, from memory. */
export function uploadBytes(uploader: Uploader, pusher: Pusher, digest: Digest, bytes: Uint8Array) {
  return uploadOnce(uploader, pusher, digest, async () => contentOf(digest, bytes));
}

async function isThere(found: Promise<unknown>): Promise<boolean> {
  try {
    await found;
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}
