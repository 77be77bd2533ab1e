import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { streamFromSource } from '../../layers/byte-stream.ts';
import { widestAccept } from '../../upstream/accept.ts';
import { pushScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
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
  const { credential, budget, signal } = context;
  try {
    const { response } = await client.request({
      method: 'PUT',
      path: `/v2/${repository}/manifests/${digest}`,
      repository,
      scopes: [pushScope(repository)],
      credential,
      budget,
      signal,
      headers: { 'content-type': mediaType, 'content-length': String(body.length) },
      body: fixedLength(streamFromSource(body), body.length),
    });
    if (response.status !== 201) {
      throw await errorFromResponse(response, `manifest ${digest} of ${repository}`, 'MANIFEST_UNKNOWN');
    }
    await discard(response);
  } finally {
    versions.increment(repository);
  }
}

/** @throws RegistryError where upstream does not have this very manifest, or refuses it. */
export async function findStoredManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: RequestContext,
): Promise<void> {
  const { credential, budget, signal } = context;
  const path = `/v2/${repository}/manifests/${digest}`;
  const headers = { accept: widestAccept };
  const request = { method: 'HEAD', path, repository, credential, budget, signal, headers } as const;
  const { response } = await client.request(request);
  if (!response.ok)
    throw await errorFromResponse(response, `manifest ${digest} of ${repository}`, 'MANIFEST_UNKNOWN');
  await discard(response);
}
