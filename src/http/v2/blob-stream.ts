import type { ByteSpan } from '../../layers/byte-range.ts';
import type { BlobName } from '../../layers/store/blob-store.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { byteRange } from '../range.ts';
import { apiVersion, matchesEtag } from '../responses.ts';
import { responseWithUpstreamBody } from '../upstream-body.ts';
import { blobHeaders, rangeFor, unsatisfiable } from './blob-bytes.ts';

/**
 * Answers a blob request from a stream: a decompressed layer, or a blob of the store. The size is known before the first
 * byte: Docker 1.6 and 1.7 refuse a blob without Content-Length.
 * @param open opens the blob, or a part of it. Called only if bytes are sent.
 * @param isPublic as in `blobHeaders`.
 */
export async function blobStreamResponse(
  request: ClientRequest,
  { digest, size }: BlobName,
  isPublic: boolean,
  open: (span: ByteSpan | undefined) => Promise<ReadableStream<Uint8Array>>,
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
  const stream = await open(range);
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
