import type { Context } from 'hono';
import { requireLogin } from '../../auth/client-auth.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { discard } from '../../upstream/body.ts';
import type { Env } from '../env.ts';
import { enterRoute } from '../middleware/routing.ts';
import type { Route } from '../route.ts';
import { catalogPage } from '../v2/catalog.ts';

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
  const host = context.get('host');
  const names: string[] = [];
  try {
    await requireLogin(host.routes[0].clientAuth, context.get('received'));
    for (const route of host.routes) {
      names.push(
        ...(await namesOf(host, route, enterRoute(context, route, undefined), wanted - names.length)),
      );
      if (names.length >= wanted) break;
    }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
  }
  return names;
}

/**
 * Served repositories of the catalogue of one route; none where the registry refuses to list them. As many come as are
 * wanted, if there are so many: their number does not tell how many are hidden.
 * @throws RegistryError.
 */
export async function namesOf(
  host: VirtualHost<Route>,
  route: Route,
  request: ClientRequest,
  wanted: number,
): Promise<readonly string[]> {
  const page = await catalogPage(host, route, request, `?n=${wanted}`);
  if ('names' in page) return page.names.slice(0, wanted);
  await discard(page.refusal);
  return [];
}
