/**
 * The address of the proxy as clients have it, for what must name it (realm, Location, Link), without a slash at its
 * end: as the operator says, or else as the connection says.
 */
export function publicOrigin(publicUrl: URL | undefined, origin: string): string {
  return publicUrl ? `${publicUrl.origin}${publicUrl.pathname.replace(/\/+$/, '')}` : origin;
}

/**
 * Whether something in front says that the client speaks TLS to it, and is not trusted to say so: the proxy would
 * name an http: address to a client that uses https:, which would send its password there in the clear.
 */
export function leavesTls(request: { readonly address: string; readonly headers: Headers }): boolean {
  const said = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase();
  return said === 'https' && !request.address.startsWith('https:');
}
