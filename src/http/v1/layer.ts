import type { ClientRequest } from '../../registry/client-request.ts';
import type { RegistryV1 } from '../../registry/v1/registry-v1.ts';
import { cacheControl } from '../cache-control.ts';
import { byteRange } from '../range.ts';
import { getBlobResponse } from '../v2/blobs.ts';
import type { V1ImageRequest } from './found-image.ts';

/**
 * The layer of a v1 image: as API v2 gives the blob, stored, made (a layer unpacked) or empty. What is said here is
 * what API v1 adds to that.
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
  // Where upstream does not say.
  if (answer.status === 200 && size !== undefined && !answer.headers.has('content-length')) {
    answer.headers.set('Content-Length', String(size));
  }
  return answer;
}

/** Docker resumes with `bytes=<got>-<total>`, one past the end, which not every storage clamps. */
function clamped({ headers }: ClientRequest, size: number | undefined): string | 'unsatisfiable' | undefined {
  const range = size === undefined ? undefined : byteRange(headers.get('range'), size);
  return typeof range === 'object' ? `bytes=${range.start}-${range.end}` : range;
}

/**
 * When all bytes are there and no end has come, Docker 1.3 to 1.9 ask once more, and take 416 for the end if it says
 * that its length is 0. Cloudflare says no length of a type that it packs.
 */
function nothingMore(size: number | undefined): Response {
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Length': '0',
    'Content-Range': `bytes */${size ?? '*'}`,
  };
  return new Response(new Uint8Array(), { status: 416, headers });
}

/** Only the range goes on: what else is conditional would be about something of API v2. */
function asBlobRequest(request: ClientRequest, range: string | undefined): ClientRequest {
  const headers = new Headers(request.headers);
  for (const name of ['range', 'if-range', 'if-none-match', 'if-modified-since']) headers.delete(name);
  if (range !== undefined) headers.set('range', range);
  return { ...request, headers };
}

/** Bytes of the layer as it is served; undefined where upstream does not say either. */
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
