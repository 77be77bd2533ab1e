import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { ignoring } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { contentLength } from '../../upstream/body.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import { byteRange } from '../range.ts';
import { blobStreamResponse } from './blob-bytes.ts';
import { asksForPart, storedBlobHeaders } from './blob-head.ts';

/** Answers a request for a blob that upstream stores. @throws RegistryError. */
export type AnswerStored = (
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  digest: Digest,
) => Promise<Response>;

/** Another process may remove a blob between two looks at the store. */
class NoLongerKept extends Error {}

/**
 * Answers from the proxy's own store where it has the blob (REGSHIFT_STORE_BLOBS=all). Upstream is asked for the blob
 * with the client's own right, each time, so the store gives nobody more than the registry does. The headers are those
 * of upstream, so that a client may get one part of a blob from upstream and the next one from the store.
 * @param answer answers where the store does not have the blob.
 */
export function fromStore(answer: AnswerStored): AnswerStored {
  return async (registry, request, name, digest) => {
    const { kept } = registry.blobs;
    if (kept === undefined || !mayDiffer(registry, request)) return answer(registry, request, name, digest);
    const size = await kept.has(digest);
    if (size === undefined || needsOtherRange(request, size)) return answer(registry, request, name, digest);
    const found = await findBlob(registry.client, name, digest, request.context).catch(ignoring(isAbsence));
    // A 404 to a HEAD has no words: without those of a GET, the answer would tell that the store has the blob.
    if (found === undefined) return answer(registry, request, name, digest);
    // Not every registry tells the length, and some gateways tell a wrong one, like 0. That says nothing about the file.
    if ((contentLength(found) ?? size) !== size) return answer(registry, request, name, digest);
    const headers = storedBlobHeaders(digest, found);
    try {
      return await blobStreamResponse(request, size, headers, async (span) => {
        const stream = await kept.open({ digest, size }, span);
        if (stream === undefined) throw new NoLongerKept();
        const isTrusted = request.client.profile.verifiesBlobs && !kept.isInDoubt(digest);
        if (span || isTrusted) return stream;
        return registry.blobs.fixedLength(kept.verify(stream, { digest, size }), size);
      });
    } catch (error) {
      if (!(error instanceof NoLongerKept)) throw error;
      return answer(registry, request, name, digest);
    }
  };
}

/**
 * Whether the response from the store may differ from that of upstream. A HEAD for the whole blob has the headers of
 * upstream either way, and engines send one for each layer that they push.
 */
function mayDiffer({ blobs }: Registry, request: ClientRequest): boolean {
  return request.method !== 'HEAD' || blobs.redirects || asksForPart(request);
}

/**
 * Whether a `Range` is not one range of bytes. The store would send the whole blob. Registries send several ranges, which
 * podman requests of a zstd:chunked layer (containers/image, `GetBlobAt`).
 */
function needsOtherRange({ headers }: ClientRequest, size: number): boolean {
  const range = headers.get('range');
  return range !== null && byteRange(range, size) === undefined;
}
