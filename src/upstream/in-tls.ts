/** A registry behind something that ends TLS may not know of it, and name itself by `http:`. */
export function inTls(location: string, { host, protocol }: URL): string {
  const plain = `http://${host}/`;
  return protocol === 'https:' && location.startsWith(plain)
    ? `https://${host}/${location.slice(plain.length)}`
    : location;
}
