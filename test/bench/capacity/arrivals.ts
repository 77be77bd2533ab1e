import { Random } from '../../fuzz/random.ts';
import { nextArrival } from './paced.ts';
import { hourShares, popularity, type Site } from './site.ts';

/** A pull by a machine of a site. */
export interface Pull {
  /** Seconds since the begin of the day. */
  readonly at: number;
  /** Images that are deployed have the numbers after `site.images`. */
  readonly image: number;
  /** The number of the replica that the load balancer chose. */
  readonly replica: number;
  readonly downloads: boolean;
}

/** Draws the pulls of a day, in the order of their times. The same seed gives the same day. */
export function pullsOfDay(site: Site, seed: number): readonly Pull[] {
  const random = new Random(seed);
  const limits = cumulative(popularity(site.images));
  const pull = (at: number, image: number): Pull => ({
    at,
    image,
    replica: random.below(site.replicas),
    downloads: chance(random) < site.downloadShare,
  });
  const hour = site.secondsOfDay / hourShares.length;
  const pulls = hourShares.flatMap((share, n) =>
    arrivals(random, (site.pullsPerDay * share) / hour, n * hour, hour).map((at) =>
      pull(at, rankOf(limits, chance(random))),
    ),
  );
  for (let each = 0; each < site.deploymentsPerDay; each += 1) {
    // Deployments come at any time of the working day.
    const begin = site.secondsOfDay * (0.35 + (0.4 * (each + 0.5)) / site.deploymentsPerDay);
    const rate = site.machinesOfDeployment / site.deploymentSeconds;
    const times = arrivals(random, rate, begin, site.deploymentSeconds);
    pulls.push(...times.map((at) => pull(at, site.images + each)));
  }
  return pulls.toSorted((left, right) => left.at - right.at);
}

function arrivals(random: Random, rate: number, begin: number, seconds: number): number[] {
  const times: number[] = [];
  for (let at = nextArrival(random, rate); at < seconds; at += nextArrival(random, rate)) {
    times.push(begin + at);
  }
  return times;
}

function chance(random: Random): number {
  return random.below(2 ** 31) / 2 ** 31;
}

function cumulative(shares: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(shares, (share) => {
    sum += share;
    return sum;
  });
}

/** Finds the first limit above `point` by halves. */
function rankOf(limits: Float64Array, point: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((limits[middle] ?? 1) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
