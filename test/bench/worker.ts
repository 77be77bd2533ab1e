/**
 * Measures the CPU time of workerd by kind of request, which Cloudflare charges for and limits: `npm run bench -- --only
 * worker`. The time is that of all threads of the process, with HTTP and garbage collection: somewhat more than
 * Cloudflare counts. The Cache API is empty and answers at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareWorkerd, startBareWorkerd } from '../support/bare-workerd.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { bundleWorker } from '../support/wrangler.ts';
import { cpuTime, median } from './measure.ts';
import { type BenchUpstream, layerMiB, platforms, startBenchUpstream } from './worker-upstream.ts';

type Ask = (path: string, client: 'Docker 1.9.1' | 'Docker 1.13.1') => Promise<number>;

interface Case {
  readonly name: string;
  readonly unit: string;
  /** The number of requests between two readings of the clock. */
  readonly requests: number;
  /** The number of units of a request. */
  readonly units?: number;
  readonly send: (ask: Ask, upstream: BenchUpstream, number: number) => Promise<number>;
}

const cases: readonly Case[] = [
  {
    // This case comes first, while the isolate's memory is empty.
    name: 'zstd layer unpacked',
    unit: 'ms/MiB',
    requests: 2,
    units: layerMiB,
    send: (ask, { layers }) => ask(`zstd/blobs/${layers.plain}`, 'Docker 1.13.1'),
  },
  {
    name: 'manifest converted to signed schema 1, the first time',
    unit: 'ms',
    requests: 40,
    send: (ask, _, number) => ask(`image/manifests/v${number}`, 'Docker 1.9.1'),
  },
  {
    name: 'the same, remembered',
    unit: 'ms',
    requests: 100,
    send: (ask) => ask('image/manifests/v0', 'Docker 1.9.1'),
  },
  {
    name: `index of ${platforms} images converted, the first time`,
    unit: 'ms',
    requests: 15,
    send: (ask, _, number) => ask(`index/manifests/v${number}`, 'Docker 1.13.1'),
  },
  {
    name: `layer of ${layerMiB} MiB passed through`,
    unit: 'ms',
    requests: 5,
    send: (ask, { layers }) => ask(`image/blobs/${layers.stored}`, 'Docker 1.13.1'),
  },
];

const rounds = 9;

const agent = new Agent({ keepAlive: true });

/** Sends a request without the headers that `fetch` adds. @returns the number of bytes of the body. */
function asker({ port }: BareWorkerd): Ask {
  return (path, client) =>
    new Promise((resolve, reject) => {
      const headers = manifestRequestHeaders[client].filter(([name]) => name !== 'Connection').flat();
      const options = {
        host: '127.0.0.1',
        port,
        path: `/v2/${path}`,
        headers: ['Host', 'regshift.test', ...headers],
        agent,
      };
      const sent = request(options, (answer) => {
        let length = 0;
        answer.on('data', (bytes) => {
          length += bytes.length;
        });
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(length) : reject(new Error(`${path}: ${answer.statusCode}`)),
        );
        answer.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
}

async function measure(worker: BareWorkerd, upstream: BenchUpstream, { requests, units = 1, send }: Case) {
  const ask = asker(worker);
  let number = 0;
  const round = async () => {
    const before = cpuTime(worker.pid);
    for (let each = 0; each < requests; each += 1) await send(ask, upstream, number++);
    return (cpuTime(worker.pid) - before) / requests / units;
  };
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await round();
  const times: number[] = [];
  for (let each = 0; each < rounds; each += 1) times.push(await round());
  return median(times);
}

/** Measures the first conversion of a new isolate, whose code V8 has not optimized yet. */
async function measureNewIsolates(bundle: string, upstream: BenchUpstream) {
  const times: number[] = [];
  for (let each = 0; each < 5; each += 1) {
    const worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: upstream.url }, bundle);
    const before = cpuTime(worker.pid);
    await asker(worker)('image/manifests/v0', 'Docker 1.9.1');
    times.push(cpuTime(worker.pid) - before);
    await worker.stop();
  }
  return median(times);
}

const directory = mkdtempSync(join(tmpdir(), 'regshift-bench-worker-'));
const bundle = await bundleWorker(directory);
const upstream = await startBenchUpstream();
const worker = await startBareWorkerd({ REGSHIFT_UPSTREAM: upstream.url }, bundle);
// The Worker learns the decompressed digest of the zstd layer with its manifest.
await asker(worker)('zstd/manifests/latest', 'Docker 1.13.1');

const results: { name: string; unit: string; median: number }[] = [];
const report = (name: string, unit: string, value: number) => {
  results.push({ name, unit, median: Number(value.toFixed(3)) });
  if (!process.env.BENCH_JSON)
    console.log(`${name.padEnd(56)} ${value.toFixed(2).padStart(7)} ${unit} of CPU`);
};
report('first manifest that a new isolate converts', 'ms', await measureNewIsolates(bundle, upstream));
for (const each of cases) report(each.name, each.unit, await measure(worker, upstream, each));
if (process.env.BENCH_JSON) console.log(JSON.stringify(results));

await worker.stop();
upstream.stop();
agent.destroy();
rmSync(directory, { recursive: true, force: true });
