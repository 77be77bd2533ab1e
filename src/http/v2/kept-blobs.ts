import type { Digest } from '../../../converters/digest.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import { findBlob } from '../../upstream/api/blobs.ts';
import { blobStreamResponse } from './blob-stream.ts';

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
 * with the client's own right, each time, so the store gives nobody more than the registry does.
 * @param answer answers where the store does not have the blob.
 */
export function fromStore(answer: AnswerStored): AnswerStored {
  return async (registry, request, name, digest) => {
    const { kept } = registry.blobs;
    const size = request.method === 'HEAD' ? undefined : await kept?.has(digest);
    if (kept === undefined || size === undefined) return answer(registry, request, name, digest);
    const blob = { digest, size };
    const right = await findBlob(registry.client, name, digest, request.context);
    try {
      return await blobStreamResponse(request, blob, right.public, async (span) => {
        const stream = await kept.open(blob, span);
        if (stream === undefined) throw new NoLongerKept();
        return stream;
      });
    } catch (error) {
      if (!(error instanceof NoLongerKept)) throw error;
      return answer(registry, request, name, digest);
    }
  };
}
