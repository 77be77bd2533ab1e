import type { RepositoryName } from '../../converters/reference.ts';
import type { RequestAuthority } from './authority.ts';

export interface HostRule {
  readonly hostname: string;
  /** undefined: whatever port the Host header names. */
  readonly port: number | undefined;
}

/**
 * Which requests a route is for. Host and port say where they come in, and both must fit; path, ns and aliases say
 * what they ask for there, and one of them is enough.
 */
export interface Match {
  /** None: any host. */
  readonly hosts: readonly HostRule[];
  /** That the proxy listens on. None: any. */
  readonly ports: readonly number[];
  /** Beginnings of repository names, in whole parts and without a slash at the end. */
  readonly paths: readonly RepositoryName[];
  /** Registries that containerd names in the query of what it asks a mirror for, like `docker.io`. */
  readonly ns: readonly string[];
  /** Nothing is said of what is asked for. */
  readonly everything: boolean;
}

/** A route for all that no other one is for. */
export const matchAll: Match = { hosts: [], ports: [], paths: [], ns: [], everything: true };

/**
 * How closely a route names a place: host with port (2), host (1) or neither, and then whether it names the port that
 * is listened on. The closest goes first, whatever the others say of names: a host of its own is a route's own.
 * @returns undefined where the route is for other places.
 */
export function authorityRank(
  { hosts, ports }: Match,
  place: Omit<RequestAuthority, 'origin'>,
): number | undefined {
  const host = hosts.length === 0 ? 0 : Math.max(...hosts.map((rule) => hostRank(rule, place)));
  const fits = host >= 0 && (ports.length === 0 || ports.includes(place.port));
  return fits ? host * 2 + (ports.length > 0 ? 1 : 0) : undefined;
}

function hostRank(rule: HostRule, { hostname, hostPort }: Omit<RequestAuthority, 'origin'>): number {
  if (rule.hostname !== hostname) return -1;
  if (rule.port === undefined) return 1;
  return rule.port === hostPort ? 2 : -1;
}
