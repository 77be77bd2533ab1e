import type { Digest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { errorFromResponse } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { detectCompression } from './compression.ts';

/** Detects the compression of a layer with a Range request for its first bytes. @throws RegistryError. */
export async function probeLayer(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: RequestContext,
): Promise<Compression> {
  const { response } = await client.request({
    method: 'GET',
    path: `/v2/${repository}/blobs/${digest}`,
    repository,
    credential: context.credential,
    budget: context.budget,
    headers: { range: 'bytes=0-7' },
  });
  const what = `layer ${digest} of ${repository}`;
  if (!response.ok) throw await errorFromResponse(response, what, 'BLOB_UNKNOWN');
  await refuseEncoded(response, `the ${what}`);
  const stream = response.body as ReadableStream<Uint8Array> | null;
  if (!stream) throw new RegistryError('UPSTREAM_ANSWER', `Upstream sent the ${what} without a body.`);
  const { compression, compressed } = await detectCompression(stream, what);
  // If the registry ignores Range, the rest of the layer is not read.
  await compressed.cancel();
  return compression;
}
