import { mapBounded } from '../../../converters/concurrency.ts';
import type { Digest } from '../../../converters/digest.ts';
import { limits } from '../../../converters/limits.ts';
import { ignoring, isDecided } from '../../errors.ts';
import type { ContentStore } from '../content-store.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import { artifactRefused } from './push-errors.ts';
import { type PushedArtifact, type PushedManifest, readKept } from './pushed-manifest.ts';
import { hasBlob, uploadBytes } from './stored-content.ts';
import type { Pusher, Uploader } from './upload-blob.ts';
import { pushByDigest } from './upload-missing.ts';

/** Keeps pushed manifests that the registry does not take, or not in this form, as blobs of their repository. */
export interface ManifestKeeper {
  /**
   * Keeps a manifest under its own digest, as a blob of the same repository: clients pull by the digest that was pushed.
   * @throws RegistryError as upstream refuses the upload.
   */
  keep(pusher: Pusher, manifest: PushedManifest): Promise<void>;
  /**
   * Keeps an artifact that the registry does not take, or not yet, as a blob.
   * @param options.isLost whether the registry will have the artifact as a blob alone.
   * @returns false where the registry does not have its blobs.
   * @throws RegistryError as `keep`; MANIFEST_INVALID for a loss that the settings refuse.
   */
  keepArtifact(
    pusher: Pusher,
    manifest: PushedArtifact,
    options: { readonly isLost: boolean },
  ): Promise<boolean>;
  /** Pushes manifests that an earlier push kept as blobs, where an index needs them. @returns those it has pushed. */
  pushKept(pusher: Pusher, digests: readonly Digest[]): Promise<Digest[]>;
}

export interface ManifestKeeperOptions extends Uploader {
  /** Refuses a push whose manifest loses something. */
  readonly refusesLosses: boolean;
  readonly content: Pick<ContentStore, 'getBlob' | 'putManifest'>;
  readonly versions: RepositoryVersions;
}

/** Blobs of an artifact that is kept: an attestation has a few statements. */
const mostBlobs = 128;

export function createManifestKeeper(options: ManifestKeeperOptions): ManifestKeeper {
  const { client, content, refusesLosses } = options;

  async function keep(pusher: Pusher, { digest, bytes, mediaType }: PushedManifest): Promise<void> {
    await uploadBytes(options, pusher, digest, bytes);
    const { repository, context } = pusher;
    // The index that comes next names it.
    await content.putManifest(repository, digest, { bytes, contentType: mediaType }, context);
  }

  async function pushOneKept(pusher: Pusher, digest: Digest): Promise<boolean> {
    const { repository, context } = pusher;
    const bytes = await content.getBlob(repository, digest, context).catch(ignoring(isDecided));
    if (bytes === undefined) return false;
    await client.turn?.(bytes.length);
    const manifest = readKept(bytes);
    if (manifest?.digest !== digest) return false;
    const derived = { digest, mediaType: manifest.mediaType, body: bytes };
    const isTaken = await pushByDigest(options, pusher, derived).then(() => true, ignoring(isDecided));
    return isTaken ?? false;
  }

  return {
    keep,

    async keepArtifact(pusher, artifact, { isLost }) {
      if (isLost && refusesLosses) throw artifactRefused(artifact);
      if (artifact.blobs.length > mostBlobs) return false;
      const there = await mapBounded([...new Set(artifact.blobs)], limits.fetches, (digest) =>
        hasBlob(client, pusher, digest),
      );
      if (!there.every(Boolean)) return false;
      await keep(pusher, artifact);
      return true;
    },

    async pushKept(pusher, digests) {
      const pushed: Digest[] = [];
      for (const digest of digests) if (await pushOneKept(pusher, digest)) pushed.push(digest);
      return pushed;
    },
  };
}
