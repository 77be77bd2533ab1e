import type { Metrics } from '../observability/metrics.ts';
import type { Fetch } from './send.ts';

/**
 * `fetch` whose answers are counted.
 * @param route whose upstream, with its token server and storage, is asked.
 */
export function meteredFetch(fetch: Fetch, route: string, metrics: Metrics): Fetch {
  return async (url, init) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const response = await fetch(url, init);
      metrics.upstreamResponse(route, response.status, seconds());
      // Docker Hub writes `76;w=21600`: the pulls that are left, and the seconds in which they are counted.
      const left = Number.parseInt(response.headers.get('ratelimit-remaining') ?? '', 10);
      if (Number.isFinite(left)) metrics.pullsRemaining(route, left);
      return response;
    } catch (error) {
      metrics.upstreamResponse(route, undefined, seconds());
      throw error;
    }
  };
}
