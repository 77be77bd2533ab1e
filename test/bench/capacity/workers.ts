import type { WorkerCosts } from './costs.ts';
import type { Site } from './site.ts';

/**
 * Prices of the paid plan in USD, and what it includes in a month, as Cloudflare's documentation had them in 2026-11:
 * developers.cloudflare.com/workers/platform/pricing (its sources: `workers/platform/pricing.mdx` and
 * `partials/workers/kv_pricing.mdx` of cloudflare-docs). Requests that a Worker sends are not billed, and neither is
 * traffic. Failed reads of KV count.
 */
const workersPrices = {
  plan: 5,
  requests: { included: 10e6, perMillion: 0.3 },
  cpuMs: { included: 30e6, perMillion: 0.02 },
  kvReads: { included: 10e6, perMillion: 0.5 },
  kvWrites: { included: 1e6, perMillion: 5 },
} as const;

/** The use of a month that Cloudflare bills. */
export type WorkersUse = Readonly<Record<'requests' | 'cpuMs' | 'kvReads' | 'kvWrites', number>>;

export interface WorkersMonth extends WorkersUse {
  /** Requests to the registry, which Cloudflare does not bill. */
  readonly subrequests: number;
  readonly usd: Readonly<Record<'plan' | 'all' | keyof WorkersUse, number>>;
}

const daysOfMonth = 30;
/** The converted manifest, and what is known of its layers' labels. */
const kvReadsOfManifest = 2;
/** For each new image, at most: recipe, converted manifest, what its layers' labels say. */
const kvWritesOfImage = 3;

/**
 * Reckons a month on Workers, from above: each manifest is read from KV, because no isolate remembers it, and asks the
 * registry for the right; and the CPU time of workerd counts as a whole, of which Cloudflare counts a part.
 * @param newIsolatesPerDay isolates that start; each compiles the code with its first conversion.
 */
export function workersMonth(site: Site, costs: WorkerCosts, newIsolatesPerDay: number): WorkersMonth {
  const pulls = daysOfMonth * (site.pullsPerDay + site.deploymentsPerDay * site.machinesOfDeployment);
  const downloads = pulls * site.downloadShare;
  const layers = downloads * site.layersPerDownload;
  const requests = 2 * pulls + downloads + layers;
  const perLayer = Math.max(costs.rememberedMs, (costs.layer20MiBMs * site.layerMiB) / 20);
  const cpuMs =
    (2 * pulls + downloads) * costs.rememberedMs +
    layers * perLayer +
    site.images * costs.coldMs +
    daysOfMonth * newIsolatesPerDay * costs.firstOfIsolateMs;
  const use = {
    requests,
    cpuMs,
    kvReads: pulls * kvReadsOfManifest,
    kvWrites: site.images * kvWritesOfImage,
  };
  return { ...use, subrequests: requests, usd: workersPrice(use) };
}

/** Prices the use of a month, in USD. */
export function workersPrice(use: WorkersUse): WorkersMonth['usd'] {
  const priceOf = (name: keyof WorkersUse) => {
    const { included, perMillion } = workersPrices[name];
    return (Math.max(0, use[name] - included) / 1e6) * perMillion;
  };
  const parts = {
    plan: workersPrices.plan,
    requests: priceOf('requests'),
    cpuMs: priceOf('cpuMs'),
    kvReads: priceOf('kvReads'),
    kvWrites: priceOf('kvWrites'),
  };
  return { ...parts, all: Object.values(parts).reduce((sum, each) => sum + each, 0) };
}
