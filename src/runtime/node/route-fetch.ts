import type { NewestValues } from '../../compose/platform.ts';
import type { RouteSettings } from '../../config/route-settings.ts';
import type { Values } from '../../config/settings.ts';
import { RegistryError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { UpstreamConnection, UpstreamTls } from '../../upstream/connection.ts';
import type { Fetch } from '../../upstream/send.ts';

export interface RouteFetchParts {
  /** The `fetch` of routes without settings of their own. */
  readonly fetch: Fetch;
  /** @throws RegistryError MISCONFIGURED for certificates that cannot be used. */
  readonly fetchOver: (connection: UpstreamConnection) => Fetch;
  readonly log: Log;
}

/**
 * The `fetch` of a route: with its own outbound proxy and certificates, which may be renewed, if it has any.
 * @throws as `RouteFetchParts.fetchOver`.
 */
export function routeFetch(
  route: RouteSettings,
  newest: NewestValues | undefined,
  parts: RouteFetchParts,
): Fetch {
  const { id, settings } = route;
  const { fetch, fetchOver, log } = parts;
  const connection = connectionOf(settings);
  if (connection.tls?.insecure) {
    log('warn', 'REGSHIFT_UPSTREAM_INSECURE is true: the certificate of the registry is not verified', {
      route: id,
      hosts: connection.tls.hosts,
      consequence: 'anyone between regshift and the registry can read logins and change images',
    });
  }
  if (!(connection.proxy || connection.tls)) return fetch;
  const first = fetchOver(connection);
  return connection.tls && newest ? renewedFetch(first, route, newest, parts) : first;
}

/** Requests with the newest certificates. Those that cannot be used change nothing, and the log says so once. */
function renewedFetch(
  first: Fetch,
  { id, settings: start }: RouteSettings,
  newest: NewestValues,
  { fetchOver, log }: RouteFetchParts,
): Fetch {
  let made = { values: start, fetch: first };
  const renew = (values: Values): Fetch => {
    if (renewable.every((variable) => values[variable] === made.values[variable])) return made.fetch;
    const certificates = Object.fromEntries(renewable.map((variable) => [variable, values[variable]]));
    try {
      const renewed = fetchOver(connectionOf({ ...start, ...certificates }));
      log('info', 'renewed certificates are used for the registry', { route: id });
      return renewed;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      log('warn', 'the new certificates for the registry cannot be used: going on with the old ones', {
        route: id,
        reason: error.message,
      });
      return made.fetch;
    }
  };
  return async (url, init) => {
    const values = await newest(false);
    if (values !== made.values) made = { values, fetch: renew(values) };
    return made.fetch(url, init);
  };
}

const renewable = ['REGSHIFT_UPSTREAM_CA', 'REGSHIFT_UPSTREAM_CERT', 'REGSHIFT_UPSTREAM_KEY'] as const;

/** The connection that the settings of a route ask for. */
function connectionOf(settings: Values): UpstreamConnection {
  const { REGSHIFT_UPSTREAM: upstreams = [], REGSHIFT_UPSTREAM_PROXY: proxy } = settings;
  const hosts = upstreams.map(({ hostname }) => hostname);
  return { proxy, tls: upstreamTls(settings, hosts) };
}

/** The settings of certificates that regshift shows to a registry or trusts there, each as PEM. */
export type CertificateSettings = Readonly<
  Partial<
    Record<
      | 'REGSHIFT_UPSTREAM_CA'
      | 'REGSHIFT_UPSTREAM_CERT'
      | 'REGSHIFT_UPSTREAM_KEY'
      | 'REGSHIFT_UPSTREAM_INSECURE',
      string | undefined
    >
  >
>;

/** The TLS that the settings ask for; undefined for that of the runtime. @param hosts host names of the registry. */
export function upstreamTls(
  settings: CertificateSettings,
  hosts: readonly string[] = [],
): UpstreamTls | undefined {
  const { REGSHIFT_UPSTREAM_CA: authorities } = settings;
  const { REGSHIFT_UPSTREAM_CERT: cert, REGSHIFT_UPSTREAM_KEY: key } = settings;
  const insecure = settings.REGSHIFT_UPSTREAM_INSECURE === 'true';
  const certificate = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  if (authorities === undefined && certificate === undefined && !insecure) return undefined;
  return { authorities, certificate, insecure, hosts };
}
