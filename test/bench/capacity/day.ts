import { setTimeout as sleep } from 'node:timers/promises';
import { type Pull, pullsOfDay } from './arrivals.ts';
import { oneRequest } from './one-request.ts';
import { paced } from './paced.ts';
import { startMeasuredRedis } from './redis.ts';
import { startReference } from './reference.ts';
import type { Site } from './site.ts';
import { type SiteReplica, startSiteReplica } from './site-replica.ts';
import {
  blobPath,
  manifestPath,
  type SiteUpstream,
  startSiteUpstream,
  type UpstreamRequests,
} from './site-upstream.ts';

/** Measurements of a day. */
export interface MeasuredDay {
  /** CPU time of all replicas. */
  readonly cpuSeconds: number;
  /** CPU time of a request to the reference: how much other programs, and the day itself, slow this machine down. */
  readonly referenceMs: number;
  readonly registry: Readonly<UpstreamRequests>;
  /** Bytes by which Redis grew. */
  readonly redisBytes: number;
  /** Bytes by which the tables of a replica grew, in the mean of the replicas. */
  readonly tablesBytes: number;
  /** Bytes by which a replica's memory grew, with the garbage that V8 keeps at hand. */
  readonly residentBytes: number;
  readonly pulls: number;
  readonly seconds: number;
  /** The longest time by which a pull began too late, because this machine had no time for it. */
  readonly latestSeconds: number;
  /** The first failures of pulls. There are none in a day that counts. */
  readonly failures: readonly string[];
}

/** Numbers of images that only the preparation asks for: V8 has compiled the code before the day begins. */
const preparation = { first: 1_000_000, images: 800, perSecond: 150 };

/**
 * Runs a day in `site.secondsOfDay` seconds of real time: replicas in separate processes, a real Redis, a registry in
 * this process, and a connection for each request.
 */
export async function runDay(site: Site, seed: number): Promise<MeasuredDay> {
  const upstream = await startSiteUpstream();
  const redis = await startMeasuredRedis();
  const reference = await startReference();
  const replicas = await Promise.all(
    Array.from({ length: site.replicas }, () =>
      startSiteReplica({
        REGSHIFT_UPSTREAM: upstream.url,
        REGSHIFT_REDIS_URL: redis.url,
        REGSHIFT_TAG_TTL: String(site.ttlSeconds),
        LOG_LEVEL: site.log ? 'info' : 'warn',
      }),
    ),
  );
  try {
    const pulls = pullsOfDay(site, seed);
    for (const { image } of pulls) upstream.image(image);
    await prepare(replicas, upstream, site);
    upstream.forget();
    const sum = (figure: (replica: SiteReplica) => number) =>
      replicas.reduce((all, each) => all + figure(each), 0);
    const usage = async () => ({
      cpu: sum((each) => each.cpuMs()),
      resident: sum((each) => each.residentBytes()) / replicas.length,
      tables: await tablesOf(replicas),
      redis: await redis.usedBytes(),
    });
    const before = await usage();
    const read = reference.read();
    const { failures, latestSeconds, seconds } = await run(pulls, site, replicas, upstream);
    const after = await usage();
    return {
      cpuSeconds: (after.cpu - before.cpu) / 1000,
      referenceMs: read(),
      registry: { ...upstream.requests },
      redisBytes: after.redis - before.redis,
      tablesBytes: after.tables - before.tables,
      residentBytes: after.resident - before.resident,
      pulls: pulls.length,
      seconds,
      latestSeconds,
      failures,
    };
  } finally {
    await Promise.all(replicas.map((each) => each.stop()));
    await reference.stop();
    await redis.stop();
    upstream.stop();
  }
}

async function tablesOf(replicas: readonly SiteReplica[]): Promise<number> {
  const sizes = await Promise.all(replicas.map((each) => each.tables()));
  return sizes.reduce((sum, { bytes }) => sum + bytes, 0) / replicas.length;
}

async function prepare(replicas: readonly SiteReplica[], upstream: SiteUpstream, site: Site): Promise<void> {
  const { first, images, perSecond } = preparation;
  for (let number = 0; number < images; number += 1) upstream.image(first + number);
  const pull = (port: number, number: number) =>
    sendPull(port, first + number, number % 20 === 0, upstream, site);
  // The first replica converts one half of the images and shares the other one; the second replica the other way round.
  const each = async (number: number) => {
    const ports = replicas.map(({ port }) => port);
    for (const port of number % 2 ? ports : ports.toReversed()) await pull(port, number);
  };
  await paced(images, perSecond, each);
  await paced(images, perSecond, each);
}

async function run(
  pulls: readonly Pull[],
  site: Site,
  replicas: readonly SiteReplica[],
  upstream: SiteUpstream,
) {
  const started = performance.now();
  const now = () => (performance.now() - started) / 1000;
  const failures: string[] = [];
  const sent: Promise<void>[] = [];
  let latestSeconds = 0;
  for (const { at, image, replica, downloads } of pulls) {
    const wait = at - now();
    if (wait > 0.001) await sleep(wait * 1000);
    latestSeconds = Math.max(latestSeconds, now() - at);
    const pull = sendPull(replicas[replica]?.port ?? 0, image, downloads, upstream, site);
    sent.push(pull.catch((error) => void failures.push(String(error))));
  }
  await Promise.all(sent);
  // The evening, and the work in the background.
  await sleep(Math.max(500, (site.secondsOfDay - now()) * 1000));
  return { failures: failures.slice(0, 5), latestSeconds, seconds: now() };
}

/** Pulls an image as Docker 1.13 does: the ping, the manifest, and what the machine does not have. */
async function sendPull(
  port: number,
  image: number,
  downloads: boolean,
  upstream: SiteUpstream,
  site: Site,
): Promise<void> {
  await oneRequest({ port, path: '/v2/' });
  const client = site.form === 'schema1' ? 'Docker 1.9.1' : 'Docker 1.13.1';
  await oneRequest({ port, path: manifestPath(image), client });
  if (!downloads) return;
  const { config, ownLayers } = upstream.image(image);
  const wanted = site.form === 'schema1' ? ownLayers : [config, ...ownLayers];
  for (const digest of wanted) await oneRequest({ port, path: blobPath(image, digest) });
}
