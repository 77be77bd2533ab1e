/** Names of one host that a registry on the same machine may have. */
const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The origins that mean a registry besides its own: those of the setting, and the other names of the loopback address
 * on its port. A registry writes its name into `Location` from its own settings (`http.host` of docker-registry) or
 * from the `Host` that an inner proxy sends.
 * @param named origins, like `http://registry.internal:5000`.
 */
export function originsOf({ protocol, hostname, port }: URL, named: readonly string[]): ReadonlySet<string> {
  const twins = loopback.includes(hostname)
    ? loopback.map((host) => new URL(`${protocol}//${host}${port === '' ? '' : `:${port}`}`).origin)
    : [];
  return new Set([...named, ...twins]);
}

/**
 * Reads a Location on another origin of the registry as one on the requested origin. Only an upload in the same
 * repository is read so: a login goes with the next request for it.
 * @param location as the registry wrote it.
 * @param uploads the path of uploads in the repository, like `/v2/team/app/blobs/uploads/`.
 * @returns the Location with the requested origin, and otherwise as it was written.
 */
export function onOwnOrigin(
  location: string,
  requested: URL,
  origins: ReadonlySet<string> | undefined,
  uploads: string,
): string {
  const url = URL.parse(location) ?? undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return location;
  if (url.origin === requested.origin || !origins?.has(url.origin)) return location;
  // The rest stays as it is written, because another spelling may not be what was signed.
  const [, path = ''] = /^[a-z]+:\/\/[^/?#]+(\/.*)$/i.exec(location) ?? [];
  return path.startsWith(uploads) && url.pathname.startsWith(uploads)
    ? `${requested.origin}${path}`
    : location;
}
