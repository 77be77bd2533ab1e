import type { Digest } from '../../../converters/digest.ts';
import type { ByteSpan } from '../../layers/byte-range.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { responseWithUpstreamBody } from '../upstream-body.ts';
import { type BlobHeaders, blobHead, derivedBlobHeaders } from './blob-head.ts';

/**
 * Answers a blob request from bytes in memory: the empty layer, or a derived config.
 * @param isPublic as in `derivedBlobHeaders`.
 */
export function blobResponse(
  request: ClientRequest,
  digest: Digest,
  bytes: Uint8Array,
  isPublic: boolean,
): Response {
  const { span, hasBody, ...head } = blobHead(request, bytes.length, derivedBlobHeaders(digest, isPublic));
  const part = span ? bytes.subarray(span.start, span.end + 1) : bytes;
  return new Response(hasBody ? (part as Uint8Array<ArrayBuffer>) : null, head);
}

/**
 * Answers a blob request from a stream: a decompressed layer, or a blob of the store. The size is known before the first
 * byte: Docker 1.6 and 1.7 refuse a blob without Content-Length.
 * @param open opens the blob, or a part of it. Called only if bytes are sent.
 */
export async function blobStreamResponse(
  request: ClientRequest,
  size: number,
  headers: BlobHeaders,
  open: (span: ByteSpan | undefined) => Promise<ReadableStream<Uint8Array>>,
): Promise<Response> {
  const { span, hasBody, ...head } = blobHead(request, size, headers);
  return hasBody ? responseWithUpstreamBody(await open(span), head) : new Response(null, head);
}
