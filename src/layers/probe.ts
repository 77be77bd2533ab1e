import type { Digest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import { fetchBlob } from '../upstream/api/blobs.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { detectCompression } from './compression.ts';

/** Detects the compression of a layer with a Range request for its first bytes. @throws RegistryError. */
export async function probeLayer(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  { credential, budget }: RequestContext,
): Promise<Compression> {
  const options = { range: { first: 0, last: 7 }, what: 'layer' } as const;
  const response = await fetchBlob(client, repository, digest, { credential, budget }, options);
  const what = `layer ${digest} of ${repository}`;
  await refuseEncoded(response, `the ${what}`);
  const stream = response.body as ReadableStream<Uint8Array> | null;
  if (!stream) throw new RegistryError('UPSTREAM_ANSWER', `Upstream sent the ${what} without a body.`);
  const { compression, compressed } = await detectCompression(stream, what);
  // If the registry ignores Range, the rest of the layer is not read.
  await compressed.cancel();
  return compression;
}
