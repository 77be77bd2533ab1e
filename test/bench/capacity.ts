/**
 * Measures the costs that docs/capacity.md reckons with: `npm run bench -- --only capacity` prints the rows for
 * RESULTS.md. Each cost is CPU time of the process, at the pace of a site, with a connection for each request, and in
 * relation to a bare Node server that gets requests at the same time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { havePrograms } from '../support/programs.ts';
import { type NodeCosts, nodeCostRows } from './capacity/costs.ts';
import { type OneRequest, oneRequest } from './capacity/one-request.ts';
import { paced } from './capacity/paced.ts';
import { startMeasuredRedis } from './capacity/redis.ts';
import { startReference } from './capacity/reference.ts';
import { largeLayerBytes, layerBytes } from './capacity/site-images.ts';
import { type SiteReplica, startSiteReplica } from './capacity/site-replica.ts';
import { blobPath, manifestPath, startSiteUpstream } from './capacity/site-upstream.ts';
import { median } from './measure.ts';
import { leftOut } from './report.ts';

const rounds = 5;
/** Requests a second to one process: a replica of a large site gets no more. */
const perSecond = 40;
const perSecondAtFirst = 200;
const GiB = 2 ** 30;

if (!havePrograms('redis-server')) {
  leftOut('capacity', 'redis-server');
  process.exit(0);
}

const upstream = await startSiteUpstream();
const redis = await startMeasuredRedis();
const reference = await startReference();
const replica = (variables: Record<string, string>) =>
  startSiteReplica({ REGSHIFT_UPSTREAM: upstream.url, REGSHIFT_REDIS_URL: redis.url, ...variables });
const first = await replica({ REGSHIFT_TAG_TTL: '86400' });

interface Work {
  readonly replica?: SiteReplica;
  readonly send: (port: number, number: number) => Promise<unknown>;
  /** Requests of a round. */
  readonly requests?: number;
  /** Requests before the first round, so that V8 has compiled what they need. */
  readonly warmUp?: number;
  /** Requests a second. */
  readonly pace?: number;
  readonly warmUpPace?: number;
  /** Milliseconds for work that goes on in the background after a response. */
  readonly after?: number;
}

const references: number[] = [];

/** Measures rounds of a kind of request. @returns the CPU time of a request, in units of the reference. */
async function costOf(work: Work): Promise<number> {
  const {
    replica = first,
    send,
    requests = 120,
    pace = perSecond,
    warmUp = 600,
    warmUpPace = perSecondAtFirst,
    after = 0,
  } = work;
  let next = 0;
  const some = (count: number, rate: number) => paced(count, rate, () => send(replica.port, next++));
  await some(warmUp, Math.max(pace, warmUpPace));
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ended = reference.read();
    const before = replica.cpuMs();
    await some(requests, pace);
    await sleep(after);
    const cost = (replica.cpuMs() - before) / requests;
    references.push(ended());
    costs.push(cost / (references.at(-1) ?? Number.NaN));
  }
  return median(costs);
}

/** Measures another process, which ends afterwards. Its first requests are for images that are in Redis. */
async function costOfOther(variables: Record<string, string>, work: Work): Promise<number> {
  const other = await replica(variables);
  const cost = await costOf({ ...work, replica: other });
  await other.stop();
  return cost;
}

const manifest = (number: number, client: OneRequest['client']) => (port: number) =>
  oneRequest({ port, path: manifestPath(number), client });
const docker113 = (port: number, number: number) => manifest(number, 'Docker 1.13.1')(port);
const blob = (port: number, number: number, digest: string | undefined) =>
  oneRequest({ port, path: blobPath(number, digest ?? '') });

/** Images that fill what a process has once, whatever the number of its images is. */
const firstImages = 600;
const imagesOfRound = 150;
const images = firstImages + rounds * imagesOfRound;
for (let number = 0; number < 2 * images; number += 1) upstream.image(number);

const usage = async () => {
  const { bytes, budgetBytes } = await first.tables();
  return {
    redis: await redis.usedBytes(),
    tables: bytes,
    budget: budgetBytes,
    memory: first.residentBytes(),
  };
};
let before = await usage();
const newImages = { warmUp: firstImages, requests: imagesOfRound, after: 500 };
const coldSchema2 = await costOf({
  ...newImages,
  send: async (port, number) => {
    if (number === firstImages) before = await usage();
    return docker113(port, number);
  },
});
const after = await usage();
const perImage = (key: keyof typeof after) => (after[key] - before[key]) / (images - firstImages);

const remembered = await costOf({ send: (port, number) => docker113(port, number % 50) });
const ping = await costOf({ send: (port) => oneRequest({ port, path: '/v2/' }) });
const config = await costOf({
  send: (port, number) => blob(port, number, upstream.image(number).config),
});
const downloads = { requests: 30, warmUp: 60, pace: 10, warmUpPace: 10 };
const layer = await costOf({
  ...downloads,
  send: (port, number) => blob(port, number, upstream.image(number).ownLayers[0]),
});
const large = await costOf({
  ...downloads,
  requests: 5,
  warmUp: 5,
  pace: 2,
  warmUpPace: 2,
  send: (port) => blob(port, 0, upstream.largeLayer),
});
const coldSchema1 = await costOf({
  ...newImages,
  send: (port, number) => manifest(images + number, 'Docker 1.9.1')(port),
});
const remembering = { REGSHIFT_TAG_TTL: '86400' };
const shared = await costOfOther(remembering, { ...newImages, send: docker113 });
const silent = await costOfOther(
  { ...remembering, LOG_LEVEL: 'warn' },
  { send: (port, number) => docker113(port, number % 50) },
);
// Each image is asked for every third second, which is later than its TTL.
const inTurns = (port: number, number: number) => docker113(port, number % (3 * perSecond));
const revalidated = await costOfOther({ REGSHIFT_TAG_TTL: '1' }, { warmUp: 900, send: inTurns });
const askedEachTime = await costOfOther({ REGSHIFT_TAG_TTL: '0' }, { warmUp: 900, send: inTurns });

const quietSeconds = 20;
const idleBefore = first.cpuMs();
const idleEnded = reference.read();
await sleep(1000 * quietSeconds);
const idle = (first.cpuMs() - idleBefore) / quietSeconds / idleEnded();

const unit = median(references);
const layerOfByte = (large - layer) / (largeLayerBytes - layerBytes);
const costs: NodeCosts = {
  referenceMs: unit,
  idleMsPerSecond: idle * unit,
  pingMs: ping * unit,
  rememberedMs: remembered * unit,
  rememberedSilentMs: silent * unit,
  revalidatedMs: revalidated * unit,
  askedEachTimeMs: askedEachTime * unit,
  coldSchema2Ms: coldSchema2 * unit,
  coldSchema1Ms: coldSchema1 * unit,
  sharedMs: shared * unit,
  configMs: config * unit,
  layerMs: (layer - layerBytes * layerOfByte) * unit,
  layerMsPerGiB: layerOfByte * GiB * unit,
  redisBytesPerImage: perImage('redis'),
  cacheBytesPerImage: perImage('budget'),
  memoryBytesPerImage: perImage('tables'),
  memoryBytes: before.memory - firstImages * perImage('tables'),
};
if (process.env.BENCH_JSON) console.log(JSON.stringify(costs));
else {
  console.log(nodeCostRows(costs).join('\n'));
  const [least, most] = [Math.min(...references), Math.max(...references)];
  console.log(`The reference took from ${least.toFixed(3)} to ${most.toFixed(3)} ms.`);
}

await first.stop();
await reference.stop();
await redis.stop();
upstream.stop();
