/** Measures first requests and the start of the program: `npm run bench -- --only cold`. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapBounded } from '../../converters/concurrency.ts';
import { generateSigningKey } from '../../converters/crypto/signing-key.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { limits } from '../../converters/limits.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';
import { memoryOf } from '../support/bare-workerd.ts';
import { freePort, isListening } from '../support/daemon.ts';
import { startArguments, startNodeProcess } from '../support/node-process.ts';
import { projectRoot } from '../support/wrangler.ts';
import { ask, docker19, keptConnections } from './ask.ts';
import { cpuTime, median } from './measure.ts';
import { printJson, report } from './report.ts';
import {
  type BenchRequest,
  type BenchUpstream,
  listedPlatforms,
  startBenchUpstream,
} from './worker-upstream.ts';

const starts = 9;
/** The number of conversions before the measured ones: the content is cold, the process is warm. */
const warm = 2_000;
const conversions = 1_000;
const images = 10_000;
const warmLists = 300;
const listConversions = 200;
const cacheBytes = 67_108_864;
const MiB = 2 ** 20;

/** Starts a bare Hono server, the least that a program on Node can be. @returns the milliseconds to its first answer. */
async function startBare(): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare.ts'), String(port)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end('the body');
  while (!(await isListening(port))) await sleep(5);
  await ask(port, '/v2/image/manifests/v0');
  const took = performance.now() - began;
  child.kill('SIGKILL');
  return took;
}

/** Starts regshift. @returns the milliseconds to its first answer. */
async function startRegshift(argv?: readonly string[]): Promise<number> {
  const began = performance.now();
  const { stop, port } = await startNodeProcess({ REGSHIFT_UPSTREAM: upstream.url }, 5, undefined, argv);
  await ask(port, '/v2/image/manifests/v0', docker19);
  const took = performance.now() - began;
  await stop();
  return took;
}

/** Starts a bare proxy with the same converters. @param form the form of its conversions. */
async function startBareConverter(form: string): Promise<{ readonly port: number; stop(): void }> {
  const port = await freePort();
  const file = join(import.meta.dirname, 'bare-converter.ts');
  const child = spawn(process.execPath, [file, String(port), String(upstreamPort), form], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (!(await isListening(port))) await sleep(5);
  return { port, stop: () => child.kill('SIGKILL') };
}

/** The milliseconds of CPU of a conversion to signed schema 1 by itself, in a process that has made many. */
async function conversionAlone(upstream: BenchUpstream): Promise<number> {
  const key = generateSigningKey();
  const read = async ({ digest }: { readonly digest: string }) => upstream.bytesOf(digest);
  const ports: ConversionPorts = {
    ...{ fetchManifest: read, fetchBlob: read, sniffLayer: async () => 'gzip', signingKey: () => key },
    layerFacts: () => Promise.reject(new Error('no layer is read here')),
  };
  const manifests = Array.from({ length: warm + conversions }, (_, number) =>
    upstream.image(`alone${number}`),
  );
  const convert = async (bytes: Uint8Array) => {
    const model = readManifest(bytes, mediaTypes.ociManifest);
    if (model.kind !== 'image') throw new Error('The bench has an image here.');
    await convertImage(model, 'schema1', { ports, name: 'image', tag: 'v0', unpackZstd: false });
  };
  for (const bytes of manifests.slice(0, warm)) await convert(bytes);
  const before = cpuTime(process.pid);
  for (const bytes of manifests.slice(warm)) await convert(bytes);
  return (cpuTime(process.pid) - before) / conversions;
}

/** Sends the same requests that the proxy sent, six at a time. @returns the milliseconds to the last byte. */
async function sendAll(port: number, requests: readonly BenchRequest[]): Promise<number> {
  const began = performance.now();
  await mapBounded(requests, limits.fetches, ({ path }) => ask(port, path));
  return performance.now() - began;
}

const upstream = await startBenchUpstream();
const upstreamPort = Number(new URL(upstream.url).port);

execFileSync(process.execPath, ['build/build.ts', '--program'], { cwd: projectRoot });
const packaged = startArguments('dist/package/bin/start.js');
const times: number[] = [];
const packageTimes: number[] = [];
const bareTimes: number[] = [];
for (let start = 0; start <= starts; start += 1) {
  const took = [await startRegshift(), await startRegshift(packaged), await startBare()];
  // The first start compiles.
  if (start === 0) continue;
  for (const [place, list] of [times, packageTimes, bareTimes].entries()) list.push(took[place] ?? 0);
}
report({
  work: 'start of the sources to first answer (a converted manifest), without npm, in milliseconds',
  regshift: `${Math.round(median(times))} ms`,
  against: `${Math.round(Math.min(...times))} ms at best`,
  figure: median(times),
  bound: 600,
  is: 'most',
});

report({
  work: 'the same of the package, against a bare Hono server on Node',
  ...{ regshift: `${Math.round(median(packageTimes))} ms`, against: `${Math.round(median(bareTimes))} ms` },
  ...{ figure: median(packageTimes) / median(bareTimes), bound: 2, is: 'most' },
});

const alone = await conversionAlone(upstream);
const variables = { REGSHIFT_UPSTREAM: upstream.url, REGSHIFT_CACHE_BYTES: String(cacheBytes) };
const regshift = await startNodeProcess(variables);
// The memory of many images is that of a process which converts images alone.
const ofLists = await startNodeProcess(variables);
const bareToSchema1 = await startBareConverter('schema1');
const bareToOci = await startBareConverter('oci');
const through: number[] = [];
const bareThrough: number[] = [];
const directly: number[] = [];
for (let number = 0; number < warm + conversions; number += 1) {
  const fetches = await ask(upstreamPort, `/v2/image/manifests/direct${number}`);
  const { config } = JSON.parse(fetches.body) as { config: { digest: string } };
  const blob = await ask(upstreamPort, `/v2/image/blobs/${config.digest}`);
  const { took } = await ask(regshift.port, `/v2/image/manifests/cold${number}`, docker19);
  const bare = await ask(bareToSchema1.port, `/v2/image/manifests/bare${number}`);
  if (number < warm) continue;
  directly.push(fetches.took + blob.took);
  through.push(took);
  bareThrough.push(bare.took);
}
report({
  work: 'cold conversion, against the two upstream fetches it cannot do without, in milliseconds more',
  regshift: `${median(through).toFixed(2)} ms`,
  against: `${median(directly).toFixed(2)} ms`,
  figure: median(through) - median(directly),
  bound: 2,
  is: 'most',
});

report({
  work: 'the same, what it adds against the CPU of the conversion and its signature by themselves',
  ...{
    regshift: `+ ${(median(through) - median(directly)).toFixed(2)} ms`,
    against: `${alone.toFixed(2)} ms`,
  },
  ...{ figure: (median(through) - median(directly)) / alone, bound: 1.4, is: 'most' },
});

report({
  work: 'cold conversion, whole, against a bare Hono proxy with the same converters that checks and remembers nothing',
  ...{ regshift: `${median(through).toFixed(2)} ms`, against: `${median(bareThrough).toFixed(2)} ms` },
  ...{ figure: median(through) / median(bareThrough), is: 'most' },
});

const oci = { Accept: `${mediaTypes.ociIndex}, ${mediaTypes.ociManifest}` };
const lists: number[] = [];
const bareLists: number[] = [];
const fetchesOfLists: number[] = [];
let fetches = 0;
for (let number = 0; number < warmLists + listConversions; number += 1) {
  upstream.takeRequests();
  const { took } = await ask(ofLists.port, `/v2/list/manifests/cold${number}`, oci);
  const requests = upstream.takeRequests();
  const directly = await sendAll(upstreamPort, requests);
  const bare = await ask(bareToOci.port, `/v2/list/manifests/bare${number}`);
  if (number < warmLists) continue;
  lists.push(took);
  bareLists.push(bare.took);
  fetchesOfLists.push(directly);
  fetches = requests.length;
}
report({
  work: `cold index of ${listedPlatforms} platforms, list to OCI, against its ${fetches} upstream fetches, six at a time`,
  ...{ regshift: `${median(lists).toFixed(2)} ms`, against: `${median(fetchesOfLists).toFixed(2)} ms` },
  ...{ figure: median(lists) / median(fetchesOfLists), bound: 1.5, is: 'most' },
});

report({
  work: 'the same, against the bare Hono proxy with the same converters',
  ...{ regshift: `${median(lists).toFixed(2)} ms`, against: `${median(bareLists).toFixed(2)} ms` },
  ...{ figure: median(lists) / median(bareLists), is: 'most' },
});
bareToSchema1.stop();
bareToOci.stop();
await ofLists.stop();

let peak = 0;
for (let number = 0; number < images; number += 8) {
  const tags = Array.from({ length: 8 }, (_, each) => `many${number + each}`);
  await Promise.all(tags.map((tag) => ask(regshift.port, `/v2/image/manifests/${tag}`, docker19)));
  peak = Math.max(peak, memoryOf(regshift.pid));
}
report({
  work: `${images.toLocaleString('en')} distinct images asked for once each, against REGSHIFT_CACHE_BYTES, in MiB above it`,
  regshift: `${Math.round(peak)} MiB`,
  against: `${cacheBytes / MiB} MiB`,
  figure: peak - cacheBytes / MiB,
  bound: 100,
  is: 'most',
});

await regshift.stop();
upstream.stop();
keptConnections.destroy();
printJson();
