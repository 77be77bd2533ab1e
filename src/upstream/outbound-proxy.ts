import { bareHost } from '../bare-host.ts';
import { type IpRange, isInRanges, parseIpRange } from '../routing/ip-range.ts';
import { literalAddress, scopeOf } from './network-scope.ts';

/** Selects the outbound proxy of a request; undefined for a direct connection. */
export type ProxyFor = (url: URL) => URL | undefined;

export interface OutboundProxies {
  /** The proxy of requests to `http://` URLs. */
  readonly http: URL | undefined;
  /** The proxy of requests to `https://` URLs. */
  readonly https: URL | undefined;
  /** Hosts without a proxy, in the form of `NO_PROXY`. */
  readonly exceptions: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const proxyForm = 'must be the URL of an HTTP proxy, like http://proxy.example:3128';

/**
 * Parses the URL of a proxy. A text without a scheme gets `http://`, as in Go (`parseProxy` of
 * golang.org/x/net/http/httpproxy).
 * @returns undefined for a text that is not the URL of a proxy that speaks HTTP: SOCKS is not supported.
 */
export function parseProxyUrl(text: string): URL | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
  // The login is decoded for each connection.
  if (/%(?![0-9a-f]{2})/i.test(url.username + url.password)) return undefined;
  return url.pathname === '/' && url.search === '' && url.hash === '' ? url : undefined;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. The upper-case variable takes precedence over the lower-case one,
 * and an empty variable counts as not set, as in Go (`FromEnvironment` of golang.org/x/net/http/httpproxy).
 * @returns the proxies, and the names of variables whose value is not the URL of a proxy.
 */
export function readProxyEnvironment(
  environment: Environment,
): OutboundProxies & { readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const read = (name: string): URL | undefined => {
    const set = nameOf(environment, name);
    if (set === undefined) return undefined;
    const url = parseProxyUrl(environment[set]?.trim() ?? '');
    if (url === undefined) wrong.push(set);
    return url;
  };
  const proxies = { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY') };
  return { ...proxies, exceptions: environment[nameOf(environment, 'NO_PROXY') ?? ''] ?? '', wrong };
}

function nameOf(environment: Environment, name: string): string | undefined {
  return [name, name.toLowerCase()].find((each) => (environment[each] ?? '').trim() !== '');
}

/**
 * Creates the choice of a proxy for each request. It follows Go (`useProxy` of golang.org/x/net/http/httpproxy), which
 * Docker, containerd and skopeo use: requests to `localhost` and to loopback addresses have no proxy, and `NO_PROXY`
 * has names, addresses and ranges with commas between them. A name includes its subdomains, a name that begins with
 * `.` or `*.` is for subdomains only, a port limits an entry to that port, and `*` is for every host.
 * @returns undefined if no request has a proxy.
 */
export function chooseProxy({ http, https, exceptions }: OutboundProxies): ProxyFor | undefined {
  if (http === undefined && https === undefined) return undefined;
  const entries = exceptions.split(',').flatMap((text) => exceptionOf(text.trim().toLowerCase()));
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http;
    return proxy === undefined || isDirect(url, entries) ? undefined : proxy;
  };
}

interface Exception {
  matches(host: string, isAddress: boolean): boolean;
  /** undefined: every port. */
  readonly port: string | undefined;
}

function isDirect(url: URL, entries: readonly Exception[]): boolean {
  const host = bareHost(url);
  const address = literalAddress(url);
  if (address !== undefined && scopeOf(address) === 'loopback') return true;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const isAddress = address !== undefined;
  return entries.some((entry) => (entry.port ?? port) === port && entry.matches(host, isAddress));
}

function exceptionOf(text: string): Exception[] {
  if (text === '') return [];
  if (text === '*') return [{ port: undefined, matches: () => true }];
  const whole = parseIpRange(text);
  if (whole) return [inRange(whole, undefined)];
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const range = parseIpRange(bracketed ?? plain);
  if (range) return [inRange(range, port)];
  const host = asciiHost(plain.replace(/^\*(?=\.)/, ''));
  return host === '' ? [] : [ofName(host, port)];
}

/** URLs have the ASCII form of international names (`idnaASCII` of golang.org/x/net/http/httpproxy). */
function asciiHost(host: string): string {
  return /\P{ASCII}/u.test(host) ? (URL.parse(`http://${host}`)?.hostname ?? host) : host;
}

function inRange(range: IpRange, port: string | undefined): Exception {
  return { port, matches: (host, isAddress) => isAddress && isInRanges([range], host) };
}

function ofName(host: string, port: string | undefined): Exception {
  const suffix = host.startsWith('.') ? host : `.${host}`;
  return { port, matches: (each) => each === host || each.endsWith(suffix) };
}
