import { type IpRange, isInRanges } from '../routing/ip-range.ts';

/**
 * Makes the id of a request, for the log and for `X-Request-Id`: the id that a trusted proxy sent, or a new one. New
 * ids differ from each other; they need not be hard to guess.
 * @param said the request's own `X-Request-Id`.
 * @param peer the IP address of the sender.
 */
export type RequestIds = (said: string | null | undefined, peer: string | undefined) => string;

export function createRequestIds(trustedProxies: readonly IpRange[]): RequestIds {
  let prefix: string | undefined;
  let count = 0;
  return (said, peer) => {
    if (said && peer !== undefined && isName(said) && isInRanges(trustedProxies, peer)) return said;
    // Workers have random numbers within a request only.
    prefix ??= crypto.randomUUID().replaceAll('-', '').slice(0, 12);
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}

function isName(text: string): boolean {
  return /^[\w.:=+/@-]{1,128}$/.test(text);
}
