import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import { contentLength } from '../../upstream/body.ts';
import { cacheControl } from '../cache-control.ts';
import { wholeRequest } from '../v2/blob-head.ts';
import { getBlobResponse, verifyStored } from '../v2/blobs.ts';
import type { V1ImageRequest } from './found-image.ts';

/**
 * The layer of a v1 image: the blob as API v2 serves it (decompressed, empty, or stored), verified and whole. Clients of
 * API v1 verify nothing. Docker 1.3 to 1.9 resume a layer only after `Accept-Ranges: bytes` (moby 1.3.2 and 1.9.1,
 * registry/session.go, `GetRemoteImageLayer`); otherwise they report a layer that breaks off to the user. A resumed
 * layer that breaks off at its end would be requested without end (pkg/httputils/resumablerequestreader.go counts no
 * errors of a body).
 */
export async function getV1Layer(
  registry: Registry,
  request: ClientRequest,
  { repository, part, public: isPublic }: V1ImageRequest,
): Promise<Response> {
  const { client } = request;
  const profile = { ...client.profile, verifiesBlobs: false };
  const answer = await getBlobResponse(
    registry,
    // A range and conditions are about the resource of API v1.
    { ...wholeRequest(request), client: { ...client, profile } },
    repository,
    part.blob,
    verifyStored(part.size),
  );
  answer.headers.set('Accept-Ranges', 'none');
  if (!isPublic) {
    answer.headers.set('Cache-Control', cacheControl(false, answer.headers.get('cache-control')));
  }
  return answer;
}

/** Size of the layer as it is served, in bytes; undefined if upstream does not tell it. */
export async function layerSize(
  registry: Registry,
  request: ClientRequest,
  { repository, part }: V1ImageRequest,
): Promise<number | undefined> {
  if (part.size !== undefined) return part.size;
  const head = wholeRequest({ ...request, method: 'HEAD' });
  const answer = await getBlobResponse(registry, head, repository, part.blob, verifyStored());
  return answer.ok ? contentLength(answer) : undefined;
}
