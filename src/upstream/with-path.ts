/** The same URL with another path. As a reference, a path that begins with `//` would name another host (RFC 3986, 4.2). */
export function withPath(url: URL, path: string): URL {
  const other = new URL(url);
  other.pathname = path;
  return other;
}
