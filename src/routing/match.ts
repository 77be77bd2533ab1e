import type { RepositoryName } from '../../converters/reference.ts';
import type { RequestAuthority } from './authority.ts';

/** A host name that a route serves. */
export interface HostRule {
  readonly hostname: string;
  /** The port in the Host header; undefined for any. */
  readonly port: number | undefined;
}

/**
 * The requests that a route serves. Hosts and ports select by the authority of a request, and both must fit. Paths, ns
 * and aliases select by its repository, and one of them is enough.
 */
export interface Match {
  /** Empty for any host. */
  readonly hosts: readonly HostRule[];
  /** Ports that the proxy listens on. Empty for any port. */
  readonly ports: readonly number[];
  /** Beginnings of repository names: whole parts, without a slash at the end. */
  readonly paths: readonly RepositoryName[];
  /** Registries that containerd names in the query of its requests to a mirror, like `docker.io`. */
  readonly ns: readonly string[];
  /** True if the route serves every repository: it has no paths, ns or aliases that limit it. */
  readonly everything: boolean;
}

/** Matches every request that no other route serves. */
export const matchAll: Match = { hosts: [], ports: [], paths: [], ns: [], everything: true };

/**
 * Rates how closely a route names the authority of a request: first host with port (2), host (1) or neither (0), then
 * whether it names the port that the proxy listens on. The highest rank takes precedence, whatever repositories the
 * other routes name.
 * @returns undefined if the route does not serve this authority.
 */
export function authorityRank(
  { hosts, ports }: Match,
  authority: Omit<RequestAuthority, 'origin'>,
): number | undefined {
  const host = hosts.length === 0 ? 0 : Math.max(...hosts.map((rule) => hostRank(rule, authority)));
  const fits = host >= 0 && (ports.length === 0 || ports.includes(authority.port));
  return fits ? host * 2 + (ports.length > 0 ? 1 : 0) : undefined;
}

function hostRank(rule: HostRule, { hostname, hostPort }: Omit<RequestAuthority, 'origin'>): number {
  if (rule.hostname !== hostname) return -1;
  if (rule.port === undefined) return 1;
  return rule.port === hostPort ? 2 : -1;
}
