import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { type AgentOptions, request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import type { UpstreamTls } from '../../../upstream/connection.ts';
import type { ProxyFor } from '../../../upstream/outbound-proxy.ts';
import type { AddressRule } from '../../../upstream/send.ts';
import { brokenCertificate } from '../tls/pair-problems.ts';
import { attemptMs, connectingBy, underRules } from './connection-rules.ts';
import { closingUnasked } from './kept-connections.ts';
import { RelayAgent } from './relay-agent.ts';
import { proxyAddress, proxyLogin, requestTo, TunnelAgent } from './tunnel-agent.ts';

export interface ConnectionOptions {
  /** Without it, all connections are direct. */
  readonly proxyFor?: ProxyFor | undefined;
  readonly tls?: UpstreamTls | undefined;
  /** Milliseconds for which an idle connection is kept. */
  readonly idleMs?: number | undefined;
}

/** How one request leaves the machine. */
interface Departure {
  readonly request: typeof httpRequest;
  readonly options: RequestOptions;
  /** Headers that a proxy needs beside those of the request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The proxy that gets the request itself, and answers it. A tunnel only passes bytes on. */
  readonly forwardedBy?: URL;
}

export type Connections = (url: URL, addresses: AddressRule | undefined) => Departure;

/**
 * Milliseconds for which an idle connection is kept: less than the 60 s of AWS's Application Load Balancer, the 75 s of
 * nginx (`keepalive_timeout`) and the 350 s of AWS's Network Load Balancer, after which they forget a connection. A
 * shorter time in `Keep-Alive: timeout=` takes precedence, which Node's agent reads only if it has a time of its own
 * (lib/_http_agent.js, `keepSocketAlive`).
 */
const keptMs = 55_000;

/** Creates the connections of a `fetch`: kept for the next request, direct or through outbound proxies. */
export function createConnections({ proxyFor, tls, idleMs = keptMs }: ConnectionOptions): Connections {
  const usual = { keepAlive: true, autoSelectFamilyAttemptTimeout: attemptMs, timeout: idleMs };
  const agent = closingUnasked(underRules(new RelayAgent(usual)));
  const secureAgents = bySecurity(usual, tls, (options) => underRules(new SecureAgent(options)));
  const toProxies = once(() => contextOf(tls?.authorities));
  const forwarding = remembered((proxy) =>
    closingUnasked(
      proxy.protocol === 'https:' ? new SecureAgent({ ...usual, ...toProxies() }) : new Agent(usual),
    ),
  );
  const tunnels = remembered((proxy) => {
    const security = proxy.protocol === 'https:' ? toProxies() : {};
    return bySecurity(usual, tls, (options) => new TunnelAgent(proxy, options, security));
  });

  return (url, addresses) => {
    const proxy = proxyFor?.(url);
    // A kept connection holds the options of its first request (`installListeners` of Node's lib/_http_agent.js), so
    // they have no login: no header, and no URL, which may be signed. Node clears the path.
    const { protocol, hostname, port, path } = urlToHttpOptions(url);
    const options = { protocol, hostname, port, path };
    if (proxy === undefined) {
      return protocol === 'https:'
        ? {
            request: httpsRequest,
            options: { ...options, agent: secureAgents(url), ...connectingBy(addresses) },
          }
        : { request: httpRequest, options: { ...options, agent, ...connectingBy(addresses) } };
    }
    // The proxy resolves names, so that no rule checks their addresses.
    if (protocol === 'https:') {
      return { request: httpsRequest, options: { ...options, agent: tunnels(proxy)(url) } };
    }
    return {
      request: requestTo(proxy),
      options: { ...proxyAddress(proxy), path: `${url.origin}${path}`, agent: forwarding(proxy) },
      headers: { host: url.host, ...proxyLogin(proxy) },
      forwardedBy: proxy,
    };
  };
}

/** A process has at most two outbound proxies for a route: one for each scheme. */
function remembered<Value>(make: (proxy: URL) => Value): (proxy: URL) => Value {
  const made: { proxy: URL; value: Value }[] = [];
  return (proxy) => {
    const known = made.find((each) => each.proxy === proxy) ?? { proxy, value: make(proxy) };
    if (!made.includes(known)) made.push(known);
    return known.value;
  };
}

/**
 * The agents for hosts with their own rules of TLS, and for all other hosts. The options have a secure context and no
 * certificates: Node makes the names of kept connections from the latter (`getName` of lib/https.js).
 */
function bySecurity<Any extends SecureAgent>(
  usual: AgentOptions,
  tls: UpstreamTls | undefined,
  make: (options: AgentOptions) => Any,
): (url: URL) => Any {
  const others = once(() => closingUnasked(make({ ...usual, ...contextOf(tls?.authorities) })));
  if (tls === undefined) return others;
  const { authorities, certificate, insecure, hosts } = tls;
  const own = once(() =>
    closingUnasked(make({ ...usual, ...contextOf(authorities, certificate), rejectUnauthorized: !insecure })),
  );
  return ({ hostname }) => (hosts.includes(hostname) ? own() : others());
}

/**
 * The authorities of the runtime are some 150 certificates, so a context is made only where it is needed. An intermediate
 * authority, or the certificate of the registry itself, is enough, as in the `ca.crt` of Docker: Go trusts each
 * certificate of its pool (crypto/x509, `Certificate.Verify`), and OpenSSL by default those alone that sign themselves.
 */
function contextOf(authorities: string | undefined, certificate?: UpstreamTls['certificate']): AgentOptions {
  if (authorities === undefined && certificate === undefined) return {};
  const trust =
    authorities === undefined
      ? {}
      : { ca: [...getCACertificates('default'), authorities], allowPartialTrustChain: true };
  return { secureContext: createSecureContext({ ...trust, ...certificate }) };
}

/**
 * Checks the certificates of a connection.
 * @returns the settings that are wrong and the reason; undefined if they can be used. The system's messages quote
 *   neither keys nor paths.
 */
export function certificateProblem({
  authorities,
  certificate,
}: UpstreamTls): CertificateProblem | undefined {
  // Node reads the text up to the first certificate that is broken, and trusts none after it, without an error.
  const broken = authorities && brokenCertificate(authorities);
  if (broken) {
    const message = `has a certificate ${broken} that cannot be read. Copy it again, from BEGIN to END`;
    return { variable: 'REGSHIFT_UPSTREAM_CA', message };
  }
  try {
    if (authorities !== undefined) createSecureContext({ ca: authorities });
  } catch {
    return { variable: 'REGSHIFT_UPSTREAM_CA', message: 'cannot be read: it must be certificates in PEM' };
  }
  try {
    createSecureContext(certificate);
  } catch {
    const message =
      'cannot be used: it must be a certificate in PEM, with its own key, which is not encrypted';
    return { variable: 'REGSHIFT_UPSTREAM_CERT', message };
  }
  return undefined;
}

export interface CertificateProblem {
  readonly variable: string;
  readonly message: string;
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
