/**
 * The proxy's address as clients have it, without a slash at its end: REGSHIFT_PUBLIC_URL, or else the origin of the
 * request. Realm, Location and Link contain it.
 */
export function publicOrigin(publicUrl: URL | undefined, origin: string): string {
  return publicUrl ? `${publicUrl.origin}${publicUrl.pathname.replace(/\/+$/, '')}` : origin;
}

/**
 * The header that leads to the next page of a list, if there is one. A server in front may serve the proxy below a path,
 * which REGSHIFT_PUBLIC_URL then has.
 * @param path like `/v2/_catalog`. @param query with its `?`; undefined on the last page.
 */
export function linkToNext(
  { address }: { readonly address: string },
  path: string,
  query: string | undefined,
): Record<string, string> {
  if (query === undefined) return {};
  return { Link: `<${new URL(address).pathname.replace(/\/$/, '')}${path}${query}>; rel="next"` };
}

/**
 * True if an untrusted proxy in front says that the client speaks TLS. The proxy would then name an http: address to
 * a client of https:, which would send its password there in the clear.
 */
export function leavesTls(request: { readonly address: string; readonly headers: Headers }): boolean {
  const said = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase();
  return said === 'https' && !request.address.startsWith('https:');
}
