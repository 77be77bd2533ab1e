/** A site that pulls images: the inputs of the formulae that an operator knows. */
export interface Site {
  /** Pulls of the machines in a day, besides those of deployments. */
  readonly pullsPerDay: number;
  /** Images that machines ask for. The n-th is asked for 1/n times as often as the first (Zipf). */
  readonly images: number;
  readonly replicas: number;
  /** `REGSHIFT_TAG_TTL`. */
  readonly ttlSeconds: number;
  /** The part of the pulls by machines that do not have the image yet: these download config and layers. */
  readonly downloadShare: number;
  readonly layersPerDownload: number;
  readonly layerMiB: number;
  readonly form: 'schema2' | 'schema1';
  /** Whether `LOG_LEVEL` lets a line through for each request. */
  readonly log: boolean;
  /** New images that many machines pull at once. */
  readonly deploymentsPerDay: number;
  readonly machinesOfDeployment: number;
  readonly deploymentSeconds: number;
  /** 86,400, and less where a test compresses a day. */
  readonly secondsOfDay: number;
}

/**
 * Pulls in each hour of a day, in relation to each other: jobs at night, and a hump in working hours. It is no
 * measurement of a real site, but has the parts that one has.
 */
const hourlyPulls = [
  4, 4, 12, 12, 4, 3, 4, 8, 16, 22, 24, 22, 18, 20, 24, 23, 20, 14, 9, 7, 6, 5, 5, 4,
] as const;

/** The part of a day's pulls that comes in each hour; the sum is 1. */
export const hourShares: readonly number[] = partsOf(hourlyPulls);

/** The part of all pulls that each of a number of images gets, by Zipf's law; the sum is 1. */
export function popularity(images: number): readonly number[] {
  return partsOf(Array.from({ length: images }, (_, rank) => 1 / (rank + 1)));
}

function partsOf(weights: readonly number[]): readonly number[] {
  const all = weights.reduce((sum, each) => sum + each, 0);
  return weights.map((each) => each / all);
}
