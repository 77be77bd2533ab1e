import { mapBounded } from '../../../converters/concurrency.ts';
import type { Converted } from '../../../converters/conversion.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { verifySchema1 } from '../../../converters/formats/schema1/verify.ts';
import { limits } from '../../../converters/limits.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { DerivedBlob } from '../../../converters/steps/step.ts';
import { hasCode, ignoring, isDecided, type RegistryError } from '../../errors.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { headManifest } from '../../upstream/api/manifests.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ContentStore } from '../content-store.ts';
import { isComplete } from '../manifests/derived-manifest.ts';
import { convertPushed, type TargetForm } from '../manifests/target-forms.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import type { Resolver } from '../resolver.ts';
import { contentOf, type DerivedBlobReader, openDerivedLayer } from './derived-content.ts';
import {
  artifactRefused,
  incompleteIndex,
  lackingImages,
  losingPush,
  stillReading,
  unsignedPush,
} from './push-errors.ts';
import {
  type PushedArtifact,
  type PushedImage,
  type PushedManifest,
  readKept,
  withoutSignatures,
} from './pushed-manifest.ts';
import { type BlobContent, type Uploader, uploadBlob } from './upload-blob.ts';
import { mayRead, pushByDigest } from './upload-missing.ts';

/** The form in which pushed manifests are stored: as the registry takes them, always as pushed, or always this one. */
export type PushFormat = 'auto' | 'asis' | TargetForm;

/** A client's push to one repository. All requests to upstream carry the client's own login. */
export interface Pusher {
  readonly repository: RepositoryName;
  readonly context: RequestContext;
}

/** Stores pushed manifests in a form that the registry takes, and keeps them as they were pushed. */
export interface PushConverter {
  readonly format: PushFormat;
  /**
   * Converts a pushed manifest, and uploads what the converted one names: the blobs that the conversion makes, and the
   * manifests of an index. The caller stores the manifest itself, and keeps the pushed one.
   * @returns the manifest to store in place of the pushed one.
   * @throws RegistryError MANIFEST_INVALID for an incomplete index, a schema 1 manifest without a signature, or losses
   *   that the settings refuse; as upstream refuses an upload. ConversionError.
   */
  prepare(pusher: Pusher, manifest: PushedImage, form: TargetForm): Promise<Converted>;
  /**
   * Keeps a manifest under its own digest, as a blob of the same repository: clients pull by the digest that was pushed.
   * @throws RegistryError as upstream refuses the upload.
   */
  keep(pusher: Pusher, manifest: PushedManifest): Promise<void>;
  /**
   * Keeps an artifact that the registry does not take, or not yet, as a blob.
   * @param isLost whether the registry will have the artifact as a blob alone.
   * @returns false where the registry does not have its blobs. @throws RegistryError as `prepare`.
   */
  keepArtifact(pusher: Pusher, manifest: PushedArtifact, isLost: boolean): Promise<boolean>;
  /** Pushes manifests that an earlier push kept as blobs, where an index needs them. @returns those it has pushed. */
  pushKept(pusher: Pusher, digests: readonly Digest[]): Promise<Digest[]>;
}

export interface PushConverterOptions extends Uploader, DerivedBlobReader {
  readonly format: PushFormat;
  /** Refuses a push whose manifest loses something by its conversion. */
  readonly refusesLosses: boolean;
  readonly content: Pick<ContentStore, 'getBlob' | 'putManifest'>;
  readonly versions: RepositoryVersions;
  readonly resolver: Pick<Resolver, 'resolve'>;
}

/** Blobs of an artifact that is kept: an attestation has a few statements. */
const mostBlobs = 128;

/** Rounds of waiting for layers to be read, each as long as a manifest request waits (REGSHIFT_MEASURE_DEADLINE). */
const mostRounds = 20;

export function createPushConverter(options: PushConverterOptions): PushConverter {
  const { client, converter, content, layers, resolver } = options;

  const has = (found: Promise<unknown>) =>
    found.then(
      () => true,
      (error: unknown) => {
        if (isAbsence(error)) return false;
        throw error;
      },
    );

  const hasBlob = ({ repository, context }: Pusher, digest: Digest) =>
    has(findBlob(client, repository, digest, context));

  const hasManifest = ({ repository, context }: Pusher, digest: Digest) =>
    has(headManifest(client, repository, digest, context));

  async function upload(pusher: Pusher, digest: Digest, open: () => Promise<BlobContent>): Promise<void> {
    if (await hasBlob(pusher, digest)) return;
    await uploadBlob(options, pusher.repository, await open(), pusher.context);
  }

  const uploadBytes = (pusher: Pusher, digest: Digest, bytes: Uint8Array) =>
    upload(pusher, digest, async () => contentOf(digest, bytes));

  function uploadDerived(pusher: Pusher, blob: DerivedBlob): Promise<void> {
    const { digest } = blob;
    if (blob.kind === 'config') return uploadBytes(pusher, digest, blob.bytes);
    const { packed: compressed, size } = blob;
    const layer = { compressed, digest, size };
    return upload(pusher, digest, () => openDerivedLayer(layers, pusher.repository, layer, pusher.context));
  }

  /** Uploads what a converted manifest names: a registry takes a manifest only after that. */
  async function uploadParts(pusher: Pusher, { children, blobs }: Converted): Promise<void> {
    for (const child of children) {
      if (await hasManifest(pusher, child.digest)) continue;
      // The image may be remembered, and be deleted or blocked by now: then it does not come back by an index.
      const isThere = (await hasBlob(pusher, child.source)) || (await hasManifest(pusher, child.source));
      if (!isThere) throw lackingImages([child.source]);
      await uploadParts(pusher, child);
      await pushByDigest(options, pusher, child);
    }
    for (const blob of blobs) await uploadDerived(pusher, blob);
  }

  async function keep(pusher: Pusher, { digest, bytes, mediaType }: PushedManifest): Promise<void> {
    await uploadBytes(pusher, digest, bytes);
    const { repository, context } = pusher;
    // The index that comes next names it.
    await content.putManifest(repository, digest, { bytes, contentType: mediaType }, context);
  }

  /** A manifest that the client pulled through the proxy, and that the registry has neither as one nor as a blob. */
  async function derivedManifest(pusher: Pusher, digest: Digest): Promise<Uint8Array | undefined> {
    const { repository, context } = pusher;
    const recipe = await converter.recipeOf(repository, digest, context);
    if (recipe?.product !== 'manifest' || !(await mayRead(resolver, pusher, recipe.root))) return undefined;
    const { digest: made, body } = await converter.convert(repository, recipe, context);
    if (made !== digest) return undefined;
    await uploadBytes(pusher, digest, body);
    return body;
  }

  function portsFor(pusher: Pusher): ConversionPorts {
    const ports = converter.ports(pusher.repository, pusher.context);
    return {
      ...ports,
      fetchManifest: (descriptor) =>
        ports.fetchManifest(descriptor).catch(async (error: unknown) => {
          const isUnknown = error instanceof ConversionError && error.code === 'UNAVAILABLE';
          const made = isUnknown ? await derivedManifest(pusher, descriptor.digest) : undefined;
          if (made === undefined) throw error;
          return made;
        }),
    };
  }

  /** Reads large layers in several rounds: a client that pushes waits. */
  async function converted(pusher: Pusher, manifest: PushedImage, form: TargetForm): Promise<Converted> {
    await client.turn?.(manifest.bytes.length);
    const model = withoutSignatures(manifest);
    for (let round = 1; ; round += 1) {
      try {
        return await convertPushed(model, form, pusher.repository, portsFor(pusher));
      } catch (error) {
        if (!isUnfinished(error)) throw error;
        if (round === mostRounds) throw stillReading(error);
      }
    }
  }

  /** The right to read layers whose facts are cached, and the proof that they are there. */
  async function checkSchema1(pusher: Pusher, { model, mediaType }: PushedImage): Promise<void> {
    if (mediaType !== mediaTypes.schema1Signed) throw unsignedPush();
    await verifySchema1(model, client.turn);
    const named = [...new Set(model.dependencies.map(({ digest }) => digest))];
    await mapBounded(named, limits.fetches, (digest) =>
      findBlob(client, pusher.repository, digest, pusher.context),
    );
  }

  return {
    format: options.format,

    async prepare(pusher, manifest, form) {
      if (manifest.model.source.dialect === 'schema1') await checkSchema1(pusher, manifest);
      const result = await converted(pusher, manifest, form);
      if (!isComplete(result)) throw incompleteIndex(result);
      const lost = lossesOf(result);
      if (options.refusesLosses && lost.length > 0) throw losingPush(result, lost);
      await uploadParts(pusher, result);
      return result;
    },

    keep,

    async keepArtifact(pusher, artifact, isLost) {
      if (isLost && options.refusesLosses) throw artifactRefused(artifact);
      if (artifact.blobs.length > mostBlobs) return false;
      const there = await mapBounded([...new Set(artifact.blobs)], limits.fetches, (digest) =>
        hasBlob(pusher, digest),
      );
      if (!there.every(Boolean)) return false;
      await keep(pusher, artifact);
      return true;
    },

    async pushKept(pusher, digests) {
      const { repository, context } = pusher;
      const pushed: Digest[] = [];
      for (const digest of digests) {
        const bytes = await content.getBlob(repository, digest, context).catch(ignoring(isDecided));
        if (bytes === undefined) continue;
        await client.turn?.(bytes.length);
        const manifest = readKept(bytes);
        if (manifest?.digest !== digest) continue;
        const { mediaType } = manifest;
        const isTaken = await pushByDigest(options, pusher, { digest, mediaType, body: bytes }).then(
          () => true,
          ignoring(isDecided),
        );
        if (isTaken) pushed.push(digest);
      }
      return pushed;
    },
  };
}

/** The error of layers that are still read when the wait for them ends (`LayerService.readingFor`). */
function isUnfinished(error: unknown): error is RegistryError {
  return hasCode(error, 'UNSUPPORTED') && 'Retry-After' in error.headers;
}

/** The losses of a manifest and of the manifests in it, without signatures, which sign schema 1 alone. */
function lossesOf({ losses, children }: Converted): Loss[] {
  return [...losses.filter(({ kind }) => kind !== 'signatures'), ...children.flatMap(lossesOf)];
}
