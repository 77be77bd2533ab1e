import type { Values } from '../config/settings.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Fetch } from '../upstream/send.ts';
import type { RuntimePlatform } from './platform.ts';

/**
 * The `fetch` of a route: the runtime's, or one with the route's own outbound proxy. A Worker refuses such settings
 * (src/runtime/worker/node-only.ts).
 */
export function upstreamFetch(settings: Values, { fetch, fetchOver }: RuntimePlatform): Fetch {
  const connection = connectionOf(settings);
  return connection && fetchOver ? fetchOver(connection) : fetch;
}

function connectionOf({ REGSHIFT_UPSTREAM_PROXY: proxy }: Values): UpstreamConnection | undefined {
  return proxy === undefined ? undefined : { proxy };
}
