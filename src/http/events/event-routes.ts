import { parseRepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import type { RequestAuthority } from '../../routing/authority.ts';
import { authorityRank } from '../../routing/match.ts';
import { quoted } from '../quoted.ts';
import type { Route } from '../route.ts';
import type { RegistryEvent } from './registry-event.ts';

/** The part of a notification's request that selects routes. */
export interface RouteChoice {
  /** The ids in `?route=`; empty without it. */
  readonly ids: readonly string[];
  readonly authority: RequestAuthority;
}

/**
 * The routes that an event may belong to: those of `?route=`, or those that name the host or port of the request, or
 * else all.
 */
export function candidateRoutes(routes: readonly Route[], { ids, authority }: RouteChoice): readonly Route[] {
  if (ids.length > 0) return routes.filter(({ id }) => ids.includes(id));
  const named = routes.filter(({ match }) => (authorityRank(match, authority) ?? 0) > 0);
  return named.length > 0 ? named : routes;
}

/**
 * The routes whose upstream has the repository of an event. Of several upstreams, that one counts which the event names
 * by its host; an event of another registry must not cause requests.
 */
export function routesOf(
  event: RegistryEvent,
  candidates: readonly Route[],
  { ids }: RouteChoice,
): readonly Route[] {
  const serving = candidates.filter((route) => servesRepository(route, event));
  const upstreams = new Set(candidates.map(({ registry }) => registry.client.id));
  if (ids.length > 0 || upstreams.size <= 1) return serving;
  return serving.filter((route) => event.hosts.some((host) => isUpstreamAt(route, host)));
}

function servesRepository({ registry, match }: Route, { repository }: RegistryEvent): boolean {
  const { aliases } = registry.repositoryNames;
  const hasName = match.everything || match.paths.length > 0 || match.ns.length > 0;
  return registry.serves(repository) && (hasName || aliases.aliasOf(repository) !== undefined);
}

/** @param host with its port, unless it is the usual one of the scheme. */
function isUpstreamAt({ registry: { client } }: Route, host: string): boolean {
  // Mirrors have their addresses with spaces between them.
  return [...client.id.split(' '), ...(client.origins ?? [])].some((address) => {
    const { protocol } = new URL(address);
    return (
      URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === new URL(address).host
    );
  });
}

/** The name of an event's repository at the upstream, where its notification has another one. */
export type RenameEvent = (event: RegistryEvent) => RegistryEvent | undefined;

/**
 * Reads `?repository=docker/*` of the address of a notification: a virtual repository of Artifactory has the images of
 * others, and the events of these have their keys. The star stands for the name, without the key.
 * @returns undefined for a name that no repository can have.
 * @throws RegistryError EVENT_INVALID
 */
export function readRename(pattern: string | null): RenameEvent {
  if (pattern === null) return (event) => event;
  const parts = pattern.split('*');
  if (parts.length !== 2 || parseRepositoryName(parts.join('name')) === undefined) throw notAPattern(pattern);
  return ({ image, ...event }) => {
    const repository = parseRepositoryName(parts.join(image ?? event.repository));
    return repository === undefined ? undefined : { ...event, repository };
  };
}

function notAPattern(pattern: string): RegistryError {
  return new RegistryError(
    'EVENT_INVALID',
    `?repository=${quoted(pattern, 200)} must be the name of a repository with a star for the name in ` +
      'the notification, like docker/* or *.',
  );
}
