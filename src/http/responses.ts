/** Docker up to 1.9 falls back to API v1 if the ping lacks this header. */
export const apiVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' } as const;

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

/** Adds the headers that every response of bytes has. */
export function headersWithLength(body: Uint8Array, headers: Record<string, string>): Record<string, string> {
  return { ...apiVersion, ...headers, 'Content-Length': String(body.length) };
}

/** True if `If-None-Match` names the digest of the response (RFC 9110, section 13.1.2). */
export function matchesEtag(header: string | null, digest: string): boolean {
  if (header === null) return false;
  const tags = header.split(',').map((each) => each.trim().replace(/^W\//, '').replace(/^"|"$/g, ''));
  return tags.includes('*') || tags.includes(digest);
}
