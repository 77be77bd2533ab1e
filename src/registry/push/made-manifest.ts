import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { streamOf } from '../../layers/byte-stream.ts';
import { widestAccept } from '../../upstream/accept.ts';
import { pushScope } from '../../upstream/auth/scope.ts';
import { discard } from '../../upstream/body.ts';
import type { UpstreamClient } from '../../upstream/client.ts';
import { failureOf } from '../../upstream/error-response.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Product } from '../manifests/derived-manifest.ts';
import type { Writes } from '../repository-versions.ts';
import type { Uploader } from './upload-blob.ts';

export interface ManifestUploader extends Uploader {
  readonly writes: Writes;
}

/** Pushes a manifest that regshift made, under its digest. @throws Failure as upstream refuses it. */
export async function putMadeManifest(
  { client, fixedLength, writes }: ManifestUploader,
  repository: RepositoryName,
  { digest, mediaType, body }: Product,
  caller: Caller,
): Promise<void> {
  const { credential, budget, signal } = caller;
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
      body: fixedLength(streamOf(body), body.length),
    });
    if (response.status !== 201) {
      throw await failureOf(response, `manifest ${digest} of ${repository}`, 'MANIFEST_UNKNOWN');
    }
    await discard(response);
  } finally {
    writes.note(repository);
  }
}

/** @throws Failure where upstream does not have this very manifest, or refuses it. */
export async function findStoredManifest(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  caller: Caller,
): Promise<void> {
  const { credential, budget, signal } = caller;
  const path = `/v2/${repository}/manifests/${digest}`;
  const headers = { accept: widestAccept };
  const request = { method: 'HEAD', path, repository, credential, budget, signal, headers } as const;
  const { response } = await client.request(request);
  if (!response.ok)
    throw await failureOf(response, `manifest ${digest} of ${repository}`, 'MANIFEST_UNKNOWN');
  await discard(response);
}
