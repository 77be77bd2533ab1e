import type { RepositoryName } from '../../../converters/reference.ts';
import { streamFromSource } from '../../layers/byte-stream.ts';
import { pushManifest } from '../../upstream/api/manifests.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { DerivedManifest } from '../manifests/derived-manifest.ts';
import type { RepositoryVersions } from '../repository-versions.ts';
import type { Uploader } from './upload-blob.ts';

export interface ManifestUploader extends Uploader {
  readonly versions: RepositoryVersions;
}

/** Pushes a manifest that regshift made, under its digest. @throws RegistryError as upstream refuses it. */
export async function putDerivedManifest(
  { client, fixedLength, versions }: ManifestUploader,
  repository: RepositoryName,
  { digest, mediaType, body }: DerivedManifest,
  context: RequestContext,
): Promise<void> {
  const manifest = { mediaType, size: body.length, body: fixedLength(streamFromSource(body), body.length) };
  try {
    await pushManifest(client, repository, digest, manifest, context);
  } finally {
    versions.increment(repository);
  }
}
