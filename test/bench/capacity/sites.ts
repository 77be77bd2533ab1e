import type { Site } from './site.ts';

/**
 * A site of 10,000 machines: each checks its images once an hour, two replicas serve them, and every day has two
 * deployments of a new image on a fifth of the machines, within ten minutes.
 */
export const tenThousandMachines: Site = {
  pullsPerDay: 240_000,
  images: 5_000,
  replicas: 2,
  ttlSeconds: 30,
  downloadShare: 0.05,
  layersPerDownload: 5,
  layerMiB: 30,
  form: 'schema2',
  log: true,
  deploymentsPerDay: 2,
  machinesOfDeployment: 2_000,
  deploymentSeconds: 600,
  secondsOfDay: 86_400,
};

/** A million pulls a day, without deployments. */
export const millionPulls: Site = {
  ...tenThousandMachines,
  pullsPerDay: 1_000_000,
  deploymentsPerDay: 0,
};

/** A site where each pull downloads the whole image, of ten layers: the pull of a new machine. */
export const millionDownloads: Site = { ...millionPulls, downloadShare: 1, layersPerDownload: 10 };

/** Isolates that start in a day; each one compiles the code again. Cloudflare publishes no number: this one is high. */
export const newIsolatesPerDay = 10_000;
