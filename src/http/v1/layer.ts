import type { ClientRequest } from '../../registry/client-request.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import { cacheControl } from '../cache-control.ts';
import { byteRange } from '../range.ts';
import { getBlobResponse } from '../v2/blobs.ts';
import type { V1ImageRequest } from './found-image.ts';

/**
 * The layer of a v1 image: the blob as API v2 serves it (stored, decompressed, or empty), with the differences of API
 * v1.
 */
export async function getV1Layer(
  registry: RegistryV1,
  request: ClientRequest,
  asked: V1ImageRequest,
): Promise<Response> {
  const resumed = request.headers.has('range');
  const size = resumed ? await layerSize(registry, request, asked) : asked.part.size;
  const range = clamped(request, size);
  if (range === 'unsatisfiable') return nothingMore(size);
  const blobRequest = asBlobRequest(request, range);
  const answer = await getBlobResponse(registry.registry, blobRequest, asked.repository, asked.part.blob);
  if (!asked.public) {
    answer.headers.set('Cache-Control', cacheControl(false, answer.headers.get('cache-control')));
  }
  // Upstream may send no Content-Length.
  if (answer.status === 200 && size !== undefined && !answer.headers.has('content-length')) {
    answer.headers.set('Content-Length', String(size));
  }
  return answer;
}

/** Docker resumes with `bytes=<got>-<total>`, one past the end. Not every storage clamps that. */
function clamped({ headers }: ClientRequest, size: number | undefined): string | 'unsatisfiable' | undefined {
  const range = size === undefined ? undefined : byteRange(headers.get('range'), size);
  return typeof range === 'object' ? `bytes=${range.start}-${range.end}` : range;
}

/**
 * Docker 1.3 to 1.9 ask once more if all bytes are there and the stream has not ended. They take a 416 with a length
 * of 0 for the end. Cloudflare sends no length for a type that it compresses.
 */
function nothingMore(size: number | undefined): Response {
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Length': '0',
    'Content-Range': `bytes */${size ?? '*'}`,
  };
  return new Response(new Uint8Array(), { status: 416, headers });
}

/** The blob request keeps the range only: other conditions are about the resource of API v1. */
function asBlobRequest(request: ClientRequest, range: string | undefined): ClientRequest {
  const headers = new Headers(request.headers);
  for (const name of ['range', 'if-range', 'if-none-match', 'if-modified-since']) headers.delete(name);
  if (range !== undefined) headers.set('range', range);
  return { ...request, headers };
}

/** Size of the layer as it is served, in bytes; undefined if upstream does not tell it. */
export async function layerSize(
  { registry }: RegistryV1,
  request: ClientRequest,
  { repository, part }: V1ImageRequest,
): Promise<number | undefined> {
  if (part.size !== undefined) return part.size;
  const head = asBlobRequest({ ...request, method: 'HEAD' }, undefined);
  const answer = await getBlobResponse(registry, head, repository, part.blob);
  const length = answer.headers.get('content-length') ?? '';
  return answer.ok && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
