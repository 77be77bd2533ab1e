import type { Digest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { failureOf } from '../upstream/error-response.ts';
import type { Caller } from '../upstream/request-context.ts';
import { detectCompression } from './compression.ts';

/** How a layer is packed, by a Range request for its first bytes. @throws Failure. */
export async function sniffLayer(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  caller: Caller,
): Promise<Compression> {
  const { response } = await client.request({
    method: 'GET',
    path: `/v2/${repository}/blobs/${digest}`,
    repository,
    credential: caller.credential,
    budget: caller.budget,
    headers: { range: 'bytes=0-7' },
  });
  const what = `layer ${digest} of ${repository}`;
  if (!response.ok) throw await failureOf(response, what, 'BLOB_UNKNOWN');
  await refuseEncoded(response, `the ${what}`);
  const stream = response.body as ReadableStream<Uint8Array> | null;
  if (!stream) throw new Failure('UPSTREAM_ANSWER', `Upstream sent the ${what} without a body.`);
  const { compression, packed } = await detectCompression(stream, what);
  // A registry may ignore Range: then the rest of the layer is not read.
  await packed.cancel();
  return compression;
}
