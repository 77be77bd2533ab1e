import type { Platform } from '../../../converters/platform.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Route } from '../registry.ts';
import type { Hints } from './recipe-search.ts';

/** The client's platform where its User-Agent tells; a route of the same architecture may know the variant too. */
export function platformFor(route: Route, request: ClientRequest): Platform {
  const said = request.client.platform;
  if (!said) return route.platform;
  const same = said.os === route.platform.os && said.architecture === route.platform.architecture;
  return same ? route.platform : said;
}

/** Who takes anything, takes zstd. */
export function needsUnpacking({ reads }: ClientRequest): boolean {
  return !reads.zstd && !reads.anything;
}

export function hintsFor(route: Route, request: ClientRequest): Hints {
  return { platform: platformFor(route, request), unpackZstd: needsUnpacking(request) };
}
