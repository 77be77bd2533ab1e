import type { Context } from 'hono';
import { requireLogin } from '../../auth/client-auth.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { askForRepositories, repositoriesIn } from '../../upstream/api/catalog.ts';
import { discard } from '../../upstream/body.ts';
import type { Env } from '../env.ts';
import { enterRoute } from '../middleware/routing.ts';
import type { Route } from '../route.ts';

/** Most names that a field suggests. */
const most = 200;

/** The suggestions for a field: see `allNames`. */
export function nameSuggestions(context: Context<Env>): Promise<string[]> {
  return allNames(context, most);
}

/**
 * Repositories of the catalogues that this viewer may read, by the names of clients. A registry without a catalogue, or
 * with one that wants a login, has none: a suggestion must not open the browser's dialog for a login.
 * @param wanted the number of names at most.
 */
export async function allNames(context: Context<Env>, wanted: number): Promise<string[]> {
  const { routes } = context.get('host');
  const names: string[] = [];
  try {
    await requireLogin(routes[0].clientAuth, context.get('received'));
    for (const route of routes) {
      names.push(...(await namesOf(route, enterRoute(context, route, undefined), wanted - names.length)));
      if (names.length >= wanted) break;
    }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
  }
  return names;
}

/** Repositories of the catalogue of one route; none where the registry refuses to list them. @throws RegistryError. */
export async function namesOf(
  { registry }: Route,
  { context }: ClientRequest,
  wanted: number,
): Promise<string[]> {
  const response = await askForRepositories(registry.client, `?n=${wanted}`, context);
  if (!response.ok) {
    await discard(response);
    return [];
  }
  const names: string[] = [];
  for await (const listed of repositoriesIn(registry.client, response)) {
    for (const each of listed) {
      const name = registry.serves(each) ? registry.repositoryNames.toClient(each) : undefined;
      if (name !== undefined && names.length < wanted) names.push(name);
    }
  }
  return names;
}
