/**
 * Measures conversions without fetches, in milliseconds of CPU on Node and on workerd: `npm run bench -- --only
 * converters`. It fails when a conversion is above its bound. The time is that of all threads, because signing and the
 * garbage collector run on other threads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBareWorkerd } from '../support/bare-workerd.ts';
import { bundleWorker } from '../support/wrangler.ts';
import { type ConverterCase, converterCases } from './converter-cases.ts';
import { cpuTime, median } from './measure.ts';

/** Runs one case a number of times. */
type Convert = (each: ConverterCase, rounds: number) => Promise<void>;

const roundsToWarmUp = 1000;
const roundsOfOne = 100;
const looks = 11;

async function measure(pid: number, each: ConverterCase, convert: Convert): Promise<number> {
  await convert(each, roundsToWarmUp);
  const times: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    const before = cpuTime(pid);
    await convert(each, roundsOfOne);
    times.push((cpuTime(pid) - before) / roundsOfOne);
  }
  return median(times);
}

const onNode: Convert = async ({ run }, rounds) => {
  for (let round = 0; round < rounds; round += 1) await run();
};

const directory = mkdtempSync(join(tmpdir(), 'regshift-bench-converters-'));
const worker = await startBareWorkerd({}, await bundleWorker(directory, 'test/bench/converters-worker.ts'));
const onWorkerd: Convert = async (each, rounds) => {
  const path = `/${converterCases.indexOf(each)}/${rounds}`;
  const answer = await fetch(`http://127.0.0.1:${worker.port}${path}`);
  if ((await answer.text()) !== 'done\n') throw new Error(`workerd answered ${path} with ${answer.status}`);
};

const results: { name: string; runtime: string; milliseconds: number; bound: number }[] = [];
for (const each of converterCases) {
  const costs = {
    node: await measure(process.pid, each, onNode),
    workerd: await measure(worker.pid, each, onWorkerd),
  };
  for (const [runtime, cost] of Object.entries(costs)) {
    if (cost > each.bound) process.exitCode = 1;
    results.push({ name: each.name, runtime, milliseconds: Number(cost.toFixed(3)), bound: each.bound });
    if (process.env.BENCH_JSON) continue;
    const verdict = cost > each.bound ? `  above ${each.bound}` : '';
    console.log(`${each.name.padEnd(40)} ${runtime.padEnd(8)} ${cost.toFixed(2)} ms of CPU${verdict}`);
  }
}
if (process.env.BENCH_JSON) console.log(JSON.stringify(results));
await worker.stop();
rmSync(directory, { recursive: true, force: true });
