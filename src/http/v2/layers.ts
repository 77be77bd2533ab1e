import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { LayerRecipe } from '../../registry/manifests/recipe.ts';
import type { Registry } from '../../registry/registry.ts';
import { byteRange } from '../range.ts';
import { apiVersion, matchesEtag } from '../responses.ts';
import { responseWithUpstreamBody } from '../upstream-body.ts';
import { blobHeaders, rangeFor, unsatisfiable } from './blob-bytes.ts';

/**
 * A layer that upstream stores with zstd, served as the tar inside. The size is known before the first byte: Docker
 * 1.6 and 1.7 refuse a blob without Content-Length.
 */
export async function getDerivedLayer(
  { blobs }: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
  { packed: compressed, size }: LayerRecipe,
  isPublic: boolean,
): Promise<Response> {
  const headers = { ...apiVersion, ...blobHeaders(digest, isPublic) };
  if (matchesEtag(request.headers.get('if-none-match'), digest)) {
    return new Response(null, { status: 304, headers });
  }
  if (request.method === 'HEAD') {
    return new Response(null, { headers: { ...headers, 'Content-Length': String(size) } });
  }
  const range = byteRange(rangeFor(request, digest), size);
  if (range === 'unsatisfiable') return unsatisfiable(headers, size);
  const stream = await blobs.openLayer(name, { compressed, digest, size }, range, request.context);
  const length = range ? range.end - range.start + 1 : size;
  return responseWithUpstreamBody(stream, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'Content-Length': String(length),
      ...(range ? { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` } : {}),
    },
  });
}
