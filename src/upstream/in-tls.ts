/** Writes `https:` into a Location of a registry behind a TLS terminator, which may name itself by `http:`. */
export function inTls(location: string, { host, protocol }: URL): string {
  const plain = `http://${host}/`;
  return protocol === 'https:' && location.startsWith(plain)
    ? `https://${host}/${location.slice(plain.length)}`
    : location;
}
