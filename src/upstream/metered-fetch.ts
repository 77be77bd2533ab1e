import type { Meter } from '../observability/metrics.ts';
import type { Fetch } from './send.ts';

/**
 * `fetch` whose answers are counted.
 * @param route whose upstream, with its token server and storage, is asked.
 */
export function watchedFetch(fetch: Fetch, route: string, meter: Meter): Fetch {
  return async (url, init) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const response = await fetch(url, init);
      meter.upstreamAnswered(route, response.status, seconds());
      // Docker Hub writes `76;w=21600`: the pulls that are left, and the seconds in which they are counted.
      const left = Number.parseInt(response.headers.get('ratelimit-remaining') ?? '', 10);
      if (Number.isFinite(left)) meter.pullsLeft(route, left);
      return response;
    } catch (error) {
      meter.upstreamAnswered(route, undefined, seconds());
      throw error;
    }
  };
}
