/** @returns the host of a URL without the brackets that a URL has around an address of IPv6: `::1` for `[::1]`. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
