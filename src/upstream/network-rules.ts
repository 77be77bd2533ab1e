import { ownText } from '../cache/memory-bytes.ts';
import type { Clock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type IpRange, isInRanges } from '../routing/ip-range.ts';
import { discard } from './body.ts';
import { literalAddress, type NetworkScope, reachedAddress, scopeOf } from './network-scope.ts';
import type { AddressRule, Fetch } from './send.ts';

export interface NetworkRulesOptions {
  readonly fetch: Fetch;
  /** The registry as the operator configured it. Requests to its origin have no rule. */
  readonly upstream: URL;
  /** `REGSHIFT_UPSTREAM_NETWORKS`: addresses that upstream may name wherever it is itself. */
  readonly networks: readonly IpRange[];
  readonly clock: Clock;
  readonly log: Log;
}

interface Peer {
  readonly address: string;
  readonly scope: NetworkScope;
  readonly until: number;
}

/** Time for which an answer from a wider network counts, although later answers come from a narrower one. */
const heldMs = 300_000;

/** Milliseconds for the ping that tells upstream's address. */
const pingDeadlineMs = 10_000;

const width: Readonly<Record<NetworkScope, number>> = {
  loopback: 0,
  'link-local': 0,
  private: 1,
  public: 2,
};

/**
 * A `fetch` that bounds the addresses a registry can make regshift connect to by redirects, upload locations and token
 * realms. Loopback and link-local addresses need an upstream in the same range, private addresses an upstream that is
 * not public. The address that upstream answers from decides, and not its name, which its owner may point anywhere.
 * While upstream answers from several networks, the widest one counts: the narrower one may be another server.
 * @returns rejects with RegistryError UPSTREAM_ANSWER for a refused address.
 */
export function withNetworkRules({ fetch, upstream, networks, clock, log }: NetworkRulesOptions): Fetch {
  const own = `${upstream.origin}/`;
  const fixed = literalAddress(upstream);
  const networksKey = networks.map(({ address, prefix }) => `${address}/${prefix}`).join();
  let peer: Peer | undefined =
    fixed === undefined
      ? undefined
      : { address: fixed, scope: scopeOf(fixed), until: Number.POSITIVE_INFINITY };

  const onPeer = (address: string) => {
    const now = clock();
    const scope = address === peer?.address ? peer.scope : scopeOf(address);
    if (peer && now < peer.until && width[scope] < width[peer.scope]) return;
    peer = { address, scope, until: now + heldMs };
  };

  const fetchOwn: Fetch = async (href, init) => {
    if (fixed !== undefined) return fetch(href, init);
    const response = await fetch(href, { ...init, onPeer });
    // A runtime or an outbound proxy that hides the address makes upstream public, which allows the least.
    peer ??= { address: '', scope: 'public', until: 0 };
    return response;
  };

  /** A ping tells where upstream is: an upload location can outlive the process that got it. */
  async function upstreamScope(): Promise<NetworkScope> {
    if (peer === undefined) {
      const signal = AbortSignal.timeout(pingDeadlineMs);
      await discard(await fetchOwn(`${own}v2/`, { redirect: 'manual', signal }));
    }
    return peer?.scope ?? 'public';
  }

  /**
   * The rule for a host. A kept connection holds the rule of its first request, so that the rule holds nothing of the
   * request: no login, and no URL, which may be signed.
   * @param host as own text: a part of the URL's text keeps all of it.
   */
  function ruleFor(host: string): AddressRule {
    return {
      // Another registry may be allowed less than one that has not answered yet.
      key: `${peer?.scope ?? own} ${networksKey}`,
      async refusal(address) {
        const scope = scopeOf(address);
        if (scope === 'public' || isInRanges(networks, reachedAddress(address))) return undefined;
        const from = await upstreamScope();
        if (isWithin(scope, from)) return undefined;
        const facts = { host, address, scope, upstream: upstream.host, upstreamScope: from };
        log('warn', 'upstream names an address that regshift does not connect to', { ...facts, remedy });
        return refusedTarget(host, scope, upstream, from);
      },
    };
  }

  return async (href, init) => {
    if (href.startsWith(own)) return fetchOwn(href, init);
    const url = new URL(href);
    const addresses = ruleFor(ownText(url.host));
    const literal = literalAddress(url);
    const refused = literal === undefined ? undefined : await addresses.refusal(literal);
    if (refused) throw refused;
    return fetch(href, { ...init, addresses });
  };
}

function isWithin(scope: NetworkScope, upstream: NetworkScope): boolean {
  return scope === upstream || (scope === 'private' && upstream !== 'public');
}

const remedy = 'if this is meant, add the address or its network to REGSHIFT_UPSTREAM_NETWORKS';

/** The address is only in the log: a client must not find out the addresses of internal names. */
function refusedTarget(host: string, scope: NetworkScope, upstream: URL, from: NetworkScope): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `${upstream.host} names ${host}, whose address is ${scope}, and its own address is ${from}: regshift does ` +
      'not connect there. If this is meant, add the address or its network to REGSHIFT_UPSTREAM_NETWORKS.',
    { detail: { host } },
  );
}
