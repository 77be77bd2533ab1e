import type { NodeCosts } from './costs.ts';
import { hourShares, popularity, type Site } from './site.ts';

/** Manifest requests of a day, by the work that they cause in all replicas together. */
export interface ManifestRequests {
  /** Answered from memory, while a proof of access is fresh. */
  readonly remembered: number;
  /** Answered from memory after a HEAD to the registry. */
  readonly revalidated: number;
  /** The first request for an image in the whole site: a GET to the registry, and a conversion. */
  readonly cold: number;
  /** The first request for an image to each further replica: a GET to the registry, and the conversion from Redis. */
  readonly shared: number;
}

/** Requests of a day to the registry. */
export interface RegistryRequests {
  readonly pings: number;
  readonly manifestHeads: number;
  readonly manifestGets: number;
  readonly blobGets: number;
  /**
   * Pulls that a registry like Docker Hub counts, which counts GETs of manifests, and HEADs not. Replicas that share a
   * Redis get each manifest once, and an image in an index costs two.
   */
  readonly countedPulls: number;
  readonly countedPullsOfIndexes: number;
}

export interface Capacity {
  readonly pulls: number;
  readonly manifests: ManifestRequests;
  readonly registry: RegistryRequests;
  readonly headsPerPull: number;
  readonly downloadedGiB: number;
  /** CPU time of all replicas in a day. */
  readonly cpuSeconds: number;
  /** Processors that all replicas together use in the busiest hour. */
  readonly coresInPeakHour: number;
  /** Processors that all replicas together use while a new image is deployed. */
  readonly coresInDeployment: number;
  /** The `REGSHIFT_CACHE_BYTES` that holds all images. */
  readonly cacheBytes: number;
  /** Memory of each replica with that budget. */
  readonly replicaBytes: number;
  readonly redisBytes: number;
}

/**
 * Returns how often a replica asks the registry about one image, whose requests come by chance: an answer serves the
 * requests of the next `ttlSeconds`, and the one after them asks again. So a cycle takes `ttlSeconds + 1/rate`.
 * @param rate requests a second.
 */
export function checksOf(rate: number, ttlSeconds: number, seconds: number): number {
  return (rate * seconds) / (1 + rate * ttlSeconds);
}

/** Returns how many images get at least one request. @param requests the mean number of each image. */
function imagesAsked(requests: readonly number[]): number {
  return requests.reduce((sum, mean) => sum + 1 - Math.exp(-mean), 0);
}

function manifestRequestsOf(site: Site): ManifestRequests {
  const { pullsPerDay, images, replicas, ttlSeconds, secondsOfDay } = site;
  const deployed = site.deploymentsPerDay * site.machinesOfDeployment;
  const hour = secondsOfDay / hourShares.length;
  const shares = popularity(images);
  const ofReplica = pullsPerDay / replicas;
  const usual = shares.reduce((sum, share) => {
    const rates = hourShares.map((part) => (ofReplica * share * part) / hour);
    return sum + rates.reduce((checks, rate) => checks + checksOf(rate, ttlSeconds, hour), 0);
  }, 0);
  const herd = site.machinesOfDeployment / replicas;
  const ofHerd = checksOf(herd / site.deploymentSeconds, ttlSeconds, site.deploymentSeconds);
  const checks = replicas * (usual + site.deploymentsPerDay * Math.min(herd, Math.max(1, ofHerd)));
  const cold = imagesAsked(shares.map((share) => share * pullsPerDay)) + site.deploymentsPerDay;
  const firsts = replicas * (imagesAsked(shares.map((share) => share * ofReplica)) + site.deploymentsPerDay);
  const revalidated = Math.max(0, checks - firsts);
  return {
    cold,
    shared: firsts - cold,
    revalidated,
    remembered: pullsPerDay + deployed - firsts - revalidated,
  };
}

/** Reckons what a site needs on Node, with replicas that share a Redis, from the measured costs. */
export function capacityOf(site: Site, costs: NodeCosts): Capacity {
  const pulls = site.pullsPerDay + site.deploymentsPerDay * site.machinesOfDeployment;
  const manifests = manifestRequestsOf(site);
  const firsts = manifests.cold + manifests.shared;
  const downloads = pulls * site.downloadShare;
  // Docker up to 1.9, which pulls schema 1, knows no config.
  const configs = site.form === 'schema1' ? 0 : downloads;
  const layers = downloads * site.layersPerDownload;
  const downloadedGiB = (layers * site.layerMiB) / 1024;
  const layersMs = layers * costs.layerMs + downloadedGiB * costs.layerMsPerGiB;
  const logMs = site.log ? 0 : costs.rememberedMs - costs.rememberedSilentMs;
  const coldMs = site.form === 'schema1' ? costs.coldSchema1Ms : costs.coldSchema2Ms;
  const requests = 2 * pulls + configs + layers;
  const manifestsMs =
    manifests.remembered * costs.rememberedMs +
    manifests.revalidated * costs.revalidatedMs +
    manifests.cold * coldMs +
    manifests.shared * costs.sharedMs;
  const requestsMs =
    pulls * costs.pingMs + manifestsMs + configs * costs.configMs + layersMs - requests * logMs;
  const idleCores = (site.replicas * costs.idleMsPerSecond) / 1000;
  const ofDownloads = (configs * costs.configMs + layersMs) / pulls;
  const peakPulls = (site.pullsPerDay * Math.max(...hourShares) * hourShares.length) / site.secondsOfDay;
  const herdPulls = site.machinesOfDeployment / site.deploymentSeconds;
  return {
    pulls,
    manifests,
    registry: {
      pings: pulls,
      manifestHeads: manifests.revalidated,
      manifestGets: firsts,
      blobGets: configs + layers,
      countedPulls: manifests.cold,
      countedPullsOfIndexes: 2 * manifests.cold,
    },
    headsPerPull: manifests.revalidated / pulls,
    downloadedGiB,
    cpuSeconds: requestsMs / 1000 + idleCores * site.secondsOfDay,
    coresInPeakHour: (peakPulls * requestsMs) / pulls / 1000 + idleCores,
    coresInDeployment: (herdPulls * (costs.pingMs + costs.rememberedMs + ofDownloads)) / 1000 + idleCores,
    cacheBytes: manifests.cold * costs.cacheBytesPerImage,
    replicaBytes: costs.memoryBytes + (firsts / site.replicas) * costs.memoryBytesPerImage,
    redisBytes: manifests.cold * costs.redisBytesPerImage,
  };
}
