import { type IpRange, isInRanges } from '../routing/ip-range.ts';

/**
 * Names one request in the log and, as `X-Request-Id`, to the client: by the name that a trusted proxy gave it, or by
 * one of our own. These need to be unlike each other, and not hard to guess.
 * @param said the request's own `X-Request-Id`. @param peer who sent it: an IP address.
 */
export type RequestIds = (said: string | null | undefined, peer: string | undefined) => string;

export function createRequestIds(trustedProxies: readonly IpRange[]): RequestIds {
  let prefix: string | undefined;
  let count = 0;
  return (said, peer) => {
    if (said && peer !== undefined && isName(said) && isInRanges(trustedProxies, peer)) return said;
    // Not before the first request: Workers have no random numbers outside of one.
    prefix ??= crypto.randomUUID().replaceAll('-', '').slice(0, 12);
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}

function isName(text: string): boolean {
  return /^[\w.:=+/@-]{1,128}$/.test(text);
}
