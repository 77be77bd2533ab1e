import { concatenate } from '../../converters/bytes.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';

/** Docker up to 1.9 falls back to API v1 if the ping lacks this header. */
export const apiVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' } as const;

/**
 * The header that tells a client that its `ns` chose the registry (distribution-spec after 1.1, "Registry Proxying"). An
 * `ns` that no route matches by is ignored, and gets no header.
 */
export function namespaceHeader(mapping: RepositoryMapping | undefined): Record<string, string> {
  return mapping?.ns === undefined ? {} : { 'OCI-Namespace': mapping.ns };
}

/** A response of bytes. A HEAD gets the same headers and no body. */
export function bytesResponse(
  body: Uint8Array,
  headers: Record<string, string>,
  head: boolean,
  status = 200,
): Response {
  return new Response(head ? null : (body as Uint8Array<ArrayBuffer>), {
    status,
    headers: headersWithLength(body, headers),
  });
}

/** Bytes of a document that are kept before its response begins. */
const keptBytes = 4 * 1024 * 1024;

/**
 * A response of a document that is made in parts. It has a length and may be an error up to `keptBytes`; a longer
 * document is sent while it is made, as fast as its client reads, and breaks off at an error.
 */
export async function streamedResponse(
  parts: AsyncGenerator<Uint8Array>,
  headers: Record<string, string>,
  head: boolean,
): Promise<Response> {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length <= keptBytes) {
    const { done, value } = await parts.next();
    if (done) return bytesResponse(concatenate(first), headers, head);
    first.push(value);
    length += value.length;
  }
  const own = { ...apiVersion, ...headers };
  if (head) {
    await parts.return(undefined);
    return new Response(null, { headers: own });
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(concatenate(first)),
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
  return new Response(body, { headers: own });
}

/** Adds the headers that every response of bytes has. */
export function headersWithLength(body: Uint8Array, headers: Record<string, string>): Record<string, string> {
  return { ...apiVersion, ...headers, 'Content-Length': String(body.length) };
}

/**
 * True if `If-None-Match` names the ETag of the response (RFC 9110, section 13.1.2).
 * @param etag with or without quotes, like a digest.
 */
export function matchesEtag(header: string | null, etag: string | null): boolean {
  if (header === null) return false;
  const tags = header.split(',').map(bareTag);
  return tags.includes('*') || (etag !== null && tags.includes(bareTag(etag)));
}

function bareTag(tag: string): string {
  return tag.trim().replace(/^W\//, '').replace(/^"|"$/g, '');
}
