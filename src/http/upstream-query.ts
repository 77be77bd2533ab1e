/**
 * The query of a client's request for upstream, without parameters of the proxy. The others stay as they are written:
 * they may be signed (`_state` of an upload). With its question mark; "" for none.
 * @param ours names beside `ns`, by which containerd names the registry that it means.
 */
export function upstreamQuery({ search }: URL, ...ours: readonly string[]): string {
  const names = ['ns', ...ours];
  const parts = search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !names.some((name) => new URLSearchParams(part).has(name)));
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}
