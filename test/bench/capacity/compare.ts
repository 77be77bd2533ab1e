import type { NodeCosts } from './costs.ts';
import type { MeasuredDay } from './day.ts';
import { capacityOf } from './formulae.ts';
import type { Site } from './site.ts';
import { layerBytes, ownLayersOfImage } from './site-images.ts';

/** A figure of a day beside what the formulae say. */
export interface Comparison {
  readonly figure: string;
  readonly reckoned: number;
  readonly measured: number;
  /** Measured to reckoned. */
  readonly ratio: number;
  readonly unit: string;
}

/** The part by which a figure may differ from the formulae. */
export const tolerance = 0.2;

/**
 * The day of the test: two replicas, 5,000 images, and 24 hours in 300 seconds. All times shrink 288 times, that of the
 * TTL too: one second, the shortest TTL, stands for five minutes.
 */
export const testDay: Site = {
  pullsPerDay: 12_000,
  images: 5_000,
  replicas: 2,
  ttlSeconds: 1,
  downloadShare: 0.02,
  layersPerDownload: ownLayersOfImage,
  layerMiB: layerBytes / 2 ** 20,
  form: 'schema2',
  log: true,
  deploymentsPerDay: 3,
  machinesOfDeployment: 300,
  deploymentSeconds: 3,
  secondsOfDay: 300,
};

/**
 * Compares a measured day with the formulae. The CPU time is not corrected by the reference: a day loads the machine by
 * itself, which makes a server with few requests dearer than busy ones. So the costs must come from the same machine.
 */
export function compareDay(site: Site, costs: NodeCosts, day: MeasuredDay): readonly Comparison[] {
  const reckoned = capacityOf(site, costs);
  const { manifests, registry } = reckoned;
  const row = (figure: string, unit: string, wanted: number, measured: number): Comparison => ({
    figure,
    unit,
    reckoned: wanted,
    measured,
    ratio: measured / wanted,
  });
  const images = (manifests.cold + manifests.shared) / site.replicas;
  return [
    row('CPU of both replicas', 's', reckoned.cpuSeconds, day.cpuSeconds),
    row('HEADs of manifests', '', registry.manifestHeads, day.registry.manifestHeads),
    row('GETs of manifests', '', registry.manifestGets, day.registry.manifestGets),
    row('pings', '', registry.pings, day.registry.pings),
    row('GETs of configs and layers', '', registry.blobGets, day.registry.blobGets),
    row('growth of Redis', 'MiB', reckoned.redisBytes / 2 ** 20, day.redisBytes / 2 ** 20),
    row(
      'growth of the tables of a replica',
      'MiB',
      (images * costs.memoryBytesPerImage) / 2 ** 20,
      day.tablesBytes / 2 ** 20,
    ),
  ];
}
