import { type LookupAddress, lookup } from 'node:dns';
import type { Agent, RequestOptions } from 'node:http';
import { type LookupFunction, Socket } from 'node:net';
import type { AddressRule } from '../../../upstream/send.ts';

/**
 * Milliseconds for a connection to each address of a name but the last. Node goes to the next address after 250 ms
 * (`autoSelectFamilyAttemptTimeout` of node:net) and never returns to the one before, so that a name with a distant
 * IPv4 address and an IPv6 address without a route has no address at all. This is enough for a first packet that is
 * lost and sent again after a second (RFC 6298, section 2), and less than the 8 s of a ping.
 */
export const attemptMs = 3_000;

/** Options of a request, which Node passes on to the agent unchanged. */
interface RuledOptions extends RequestOptions {
  readonly ruleKey?: string;
}

/**
 * Options of a request that connects only to addresses that a rule allows. The rule gets the addresses that the socket
 * then connects to, so that a name cannot change between check and connection. An outbound proxy resolves names itself.
 */
export function connectingBy(rule: AddressRule | undefined): RequestOptions {
  if (rule === undefined) return {};
  const options: RuledOptions = { lookup: ruledLookup(rule), ruleKey: rule.key };
  return options;
}

/** Connections to the host of their requests, by its name: no outbound proxy is in between. */
const resolved = new WeakSet<Socket>();

/**
 * Makes requests share kept connections only under equal rules, because a kept connection is not checked again, and
 * finds out the connections that `resolvedPeer` knows.
 */
export function underRules<Any extends Agent>(agent: Any): Any {
  const { getName, createConnection } = agent;
  agent.getName = (options: RuledOptions = {}) => `${getName.call(agent, options)}:${options.ruleKey ?? ''}`;
  agent.createConnection = (options, callback) => {
    const socket = createConnection.call(agent, options, callback);
    // Behind an outbound proxy, this is the connection to the proxy, which has another host.
    socket?.once('lookup', (_error, _address, _family, host) => {
      if (host === options.host && socket instanceof Socket) resolved.add(socket);
    });
    return socket;
  };
  return agent;
}

/** The address of a connection to the host of its request; undefined behind an outbound proxy, and for an address. */
export function resolvedPeer(socket: Socket): string | undefined {
  return resolved.has(socket) ? socket.remoteAddress : undefined;
}

/** Node asks for all addresses of a name, to try them in turn (RFC 8305), or for one. */
function ruledLookup(rule: AddressRule): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, found: string | LookupAddress[], family) => {
      if (error) return callback(error, found, family);
      const addresses = typeof found === 'string' ? [{ address: found, family: family ?? 0 }] : found;
      allowed(rule, addresses).then(
        (all) => {
          const [first] = all;
          if (typeof found === 'string' && first) callback(null, first.address, first.family);
          else callback(null, all);
        },
        (refusal: Error) => callback(refusal, []),
      );
    });
}

/** @throws RegistryError if the rule allows none of the addresses. */
async function allowed(rule: AddressRule, addresses: readonly LookupAddress[]): Promise<LookupAddress[]> {
  const refusals = await Promise.all(addresses.map(({ address }) => rule.refusal(address)));
  const left = addresses.filter((_, index) => refusals[index] === undefined);
  if (left.length === 0 && refusals[0]) throw refusals[0];
  return left;
}
