import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import { RegistryError } from '../../errors.ts';
import type { LayerCodec } from '../../layers/codec.ts';
import { headBlob } from '../../upstream/api/blobs.ts';
import { headManifest, pushManifest, requestManifest } from '../../upstream/api/manifests.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import { mountBlob } from '../../upstream/api/uploads.ts';
import { contentLength, discard } from '../../upstream/body.ts';
import type { LayerSpool } from '../images/layer-spool.ts';
import type { OpenImage } from '../images/open-image.ts';
import { errorOf } from './error-side.ts';
import { withFormAdvice } from './form-refusal.ts';
import { type CopyPlan, type PlannedBlob, type PlannedManifest, rootOf } from './plan-copy.ts';
import { uploadResumably } from './upload-blob.ts';
import { bytesContent, fileContent, storedContent, type UploadSource } from './upload-source.ts';

/** The way in which content came to the target. */
export type Transfer = 'uploaded' | 'mounted' | 'present';

export interface CopiedContent {
  readonly digest: Digest;
  readonly transfer: Transfer;
  /** Bytes that were sent to the target. */
  readonly sent: number;
}

export interface CopiedImage {
  /** In the order of the plan. */
  readonly blobs: readonly CopiedContent[];
  readonly manifests: readonly CopiedContent[];
}

export interface CopyParts {
  readonly from: OpenImage;
  readonly to: OpenImage;
  readonly spool: LayerSpool;
  readonly codec: Pick<LayerCodec, 'hash'>;
  readonly onBytes: (bytes: number) => void;
  /** Called with the size of a blob that is not sent. */
  readonly onSkipped: (bytes: number) => void;
}

/** Blobs that are uploaded at the same time, as by Docker (moby, daemon/config/config.go, `DefaultMaxConcurrentUploads`). */
const parallelUploads = 5;

/**
 * Copies the content of a plan: blobs first, then manifests with children before parents, because a registry takes a
 * manifest only after the content that it names. Content that the target has is not sent.
 * @throws RegistryError of the source or the target. The first error ends all uploads; a later copy uses their results.
 */
export async function copyContent(parts: CopyParts, plan: CopyPlan): Promise<CopiedImage> {
  try {
    return await copyToTarget(parts, plan);
  } catch (error) {
    // The content of the source names its own side.
    throw errorOf('target', error);
  }
}

async function copyToTarget(parts: CopyParts, plan: CopyPlan): Promise<CopiedImage> {
  const root = rootOf(plan);
  if (await hasRoot(parts, root)) {
    // A registry takes a manifest only after its content, so all of it is there.
    const present = ({ digest }: { readonly digest: Digest }): CopiedContent => ({
      digest,
      transfer: 'present',
      sent: 0,
    });
    return { blobs: plan.blobs.map(present), manifests: plan.manifests.map(present) };
  }
  const blobs = await copyBlobs(parts, plan.blobs);
  const manifests: CopiedContent[] = [];
  for (const manifest of plan.manifests) {
    const copy = copyManifest(parts, manifest, manifest === root);
    manifests.push(plan.kind === 'artifact' ? await copy : await copy.catch(throwWithAdvice(manifest)));
  }
  return { blobs, manifests };
}

/** An artifact has no other form, so it gets no advice. */
function throwWithAdvice({ mediaType }: PlannedManifest): (error: unknown) => never {
  return (error) => {
    throw withFormAdvice(error, mediaType);
  };
}

/** Whether the target's tag is the same manifest already. */
async function hasRoot({ to }: CopyParts, { digest }: PlannedManifest): Promise<boolean> {
  const { registry, name, reference, plain } = to;
  const head = await requestManifest(registry.client, 'HEAD', name, referenceText(reference), plain.context);
  await discard(head.response);
  return head.response.ok && head.response.headers.get('docker-content-digest') === digest;
}

async function copyBlobs(parts: CopyParts, blobs: readonly PlannedBlob[]): Promise<CopiedContent[]> {
  const failed = new AbortController();
  const copies: Promise<CopiedContent>[] = [];
  try {
    return await mapBounded(blobs, parallelUploads, (blob) => {
      const copy = copyBlob(parts, blob, failed.signal);
      copies.push(copy);
      return copy;
    });
  } catch (error) {
    failed.abort(error);
    // The other uploads are cancelled at the registry before the command ends.
    await Promise.allSettled(copies);
    throw error;
  }
}

async function copyBlob(parts: CopyParts, blob: PlannedBlob, signal: AbortSignal): Promise<CopiedContent> {
  const { from, to, spool, codec, onBytes, onSkipped } = parts;
  const { digest } = blob;
  const present = await presentSize(to, digest, signal);
  if (present !== undefined) {
    onSkipped(blob.size ?? present);
    return { digest, transfer: 'present', sent: 0 };
  }
  const file = spool.find(digest);
  const isStored = blob.bytes === undefined && file === undefined;
  const mount = isStored && isSameRegistry(from, to) ? await tryMount(parts, digest, signal) : undefined;
  if (mount === 'mounted') {
    onSkipped(blob.size ?? 0);
    return { digest, transfer: 'mounted', sent: 0 };
  }
  let sent = 0;
  await uploadResumably(
    { client: to.registry.client, repository: to.name, context: to.plain.context },
    sourceOf(from, blob, file),
    {
      codec,
      signal,
      location: mount?.location,
      onBytes(bytes) {
        sent += bytes;
        onBytes(bytes);
      },
    },
  );
  return { digest, transfer: 'uploaded', sent };
}

function sourceOf(from: OpenImage, blob: PlannedBlob, file: ReturnType<LayerSpool['find']>): UploadSource {
  if (blob.bytes) return bytesContent(blob.digest, blob.bytes);
  return file ? fileContent(file.digest, file.path, file.size) : storedContent(from, blob);
}

/**
 * The size of a blob that the target has.
 * @returns undefined if the target does not have it, or does not tell: then the upload tells why.
 */
async function presentSize(
  { registry, name, plain }: OpenImage,
  digest: Digest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { response } = await headBlob(registry.client, name, digest, { ...plain.context, signal });
  await discard(response);
  return response.ok ? (contentLength(response) ?? 0) : undefined;
}

function isSameRegistry(from: OpenImage, to: OpenImage): boolean {
  return from.registryUrl.href === to.registryUrl.href && from.name !== to.name;
}

/**
 * Asks the target to take a blob from the source's repository.
 * @returns the upload that the registry has begun in its place; undefined where it refuses the request, as registries do
 *   for a login without the right to the other repository.
 */
async function tryMount(
  { from, to }: CopyParts,
  digest: Digest,
  signal: AbortSignal,
): Promise<'mounted' | { readonly location: string } | undefined> {
  const context = { ...to.plain.context, signal };
  try {
    const location = await mountBlob(to.registry.client, to.name, digest, from.name, context);
    return location === undefined ? 'mounted' : { location };
  } catch (error) {
    if (error instanceof RegistryError && !signal.aborted) return undefined;
    throw error;
  }
}

/** Pushes the root by its tag, and each other manifest by its digest if the target does not have it. */
async function copyManifest(
  { to }: CopyParts,
  { digest, mediaType, body }: PlannedManifest,
  isRoot: boolean,
): Promise<CopiedContent> {
  const { registry, name, reference, plain } = to;
  if (!isRoot && (await hasManifest(to, digest))) return { digest, transfer: 'present', sent: 0 };
  const target = isRoot ? referenceText(reference) : digest;
  const manifest = { mediaType, size: body.length, body };
  await pushManifest(registry.client, name, target, manifest, plain.context);
  return { digest, transfer: 'uploaded', sent: body.length };
}

async function hasManifest({ registry, name, plain }: OpenImage, digest: Digest): Promise<boolean> {
  try {
    await headManifest(registry.client, name, digest, plain.context);
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}
