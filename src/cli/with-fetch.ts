import type { RuntimePlatform } from '../compose/platform.ts';
import type { Fetch } from '../upstream/send.ts';

/** A platform whose requests go through a function of the caller's, whichever way they leave. */
export function withFetch<Platform extends RuntimePlatform>(
  platform: Platform,
  wrap: (fetch: Fetch) => Fetch,
): Platform {
  const { fetch, fetchFor } = platform;
  return {
    ...platform,
    fetch: wrap(fetch),
    ...(fetchFor ? { fetchFor: (route, newest) => wrap(fetchFor(route, newest)) } : {}),
  };
}
