import { mapBounded } from '../../../converters/concurrency.ts';
import type { Converted } from '../../../converters/conversion.ts';
import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { verifySchema1 } from '../../../converters/formats/schema1/verify.ts';
import { limits } from '../../../converters/limits.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import type { DerivedBlob } from '../../../converters/steps/step.ts';
import { hasCode, type RegistryError } from '../../errors.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { isComplete } from '../manifests/derived-manifest.ts';
import { convertPushed, type TargetForm } from '../manifests/target-forms.ts';
import type { Resolver } from '../resolver.ts';
import { type DerivedBlobReader, openDerivedLayer } from './derived-content.ts';
import { createManifestKeeper, type ManifestKeeper, type ManifestKeeperOptions } from './manifest-keeper.ts';
import { incompleteIndex, lackingImages, losingPush, stillReading, unsignedPush } from './push-errors.ts';
import { type PushedImage, withoutSignatures } from './pushed-manifest.ts';
import { hasBlob, hasManifest, uploadBytes, uploadOnce } from './stored-content.ts';
import type { Pusher } from './upload-blob.ts';
import { mayRead, pushByDigest } from './upload-missing.ts';

/** The form in which pushed manifests are stored: as the registry takes them, always as pushed, or always this one. */
export type PushFormat = 'auto' | 'asis' | TargetForm;

/** Stores pushed manifests in a form that the registry takes, and keeps them as they were pushed. */
export interface PushConverter extends ManifestKeeper {
  readonly format: PushFormat;
  /**
   * Converts a pushed manifest, and uploads what the converted one names: the blobs that the conversion makes, and the
   * manifests of an index. The caller stores the manifest itself, and keeps the pushed one.
   * @returns the manifest to store in place of the pushed one.
   * @throws RegistryError MANIFEST_INVALID for an incomplete index, a schema 1 manifest without a signature, or losses
   *   that the settings refuse; as upstream refuses an upload. ConversionError.
   */
  prepare(pusher: Pusher, manifest: PushedImage, form: TargetForm): Promise<Converted>;
}

export interface PushConverterOptions extends ManifestKeeperOptions, DerivedBlobReader {
  readonly format: PushFormat;
  readonly resolver: Pick<Resolver, 'resolve'>;
}

/** Rounds of waiting for layers to be read, each as long as a manifest request waits (REGSHIFT_MEASURE_DEADLINE). */
const mostRounds = 20;

export function createPushConverter(options: PushConverterOptions): PushConverter {
  const { client, converter, layers, resolver } = options;

  function uploadDerived(pusher: Pusher, blob: DerivedBlob): Promise<void> {
    return blob.kind === 'config'
      ? uploadBytes(options, pusher, blob.digest, blob.bytes)
      : uploadOnce(options, pusher, blob.digest, () =>
          openDerivedLayer(layers, pusher, { ...blob, compressed: blob.packed }),
        );
  }

  /** Uploads what a converted manifest names: a registry takes a manifest only after that. */
  async function uploadParts(pusher: Pusher, { children, blobs }: Converted): Promise<void> {
    for (const child of children) {
      if (await hasManifest(client, pusher, child.digest)) continue;
      // The image may be remembered, and be deleted or blocked by now: then it does not come back by an index.
      const isThere =
        (await hasBlob(client, pusher, child.source)) || (await hasManifest(client, pusher, child.source));
      if (!isThere) throw lackingImages([child.source]);
      await uploadParts(pusher, child);
      await pushByDigest(options, pusher, child);
    }
    for (const blob of blobs) await uploadDerived(pusher, blob);
  }

  /** A manifest that the client pulled through the proxy, and that the registry has neither as one nor as a blob. */
  async function derivedManifest(pusher: Pusher, digest: Digest): Promise<Uint8Array | undefined> {
    const { repository, context } = pusher;
    const recipe = await converter.recipeOf(repository, digest, context);
    if (recipe?.product !== 'manifest' || !(await mayRead(resolver, pusher, recipe.root))) return undefined;
    const { digest: made, body } = await converter.convert(repository, recipe, context);
    if (made !== digest) return undefined;
    await uploadBytes(options, pusher, digest, body);
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
    ...createManifestKeeper(options),
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
