/**
 * How fast layers are read on Node, and in how much memory: `node test/bench/layers.ts`. Compares with
 * `zstd -dc | sha256sum` and `gunzip | sha256sum` where they are installed. Each task is a process of its own, or
 * the peak of one would be taken for that of the next.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { defaultUnpackLimits } from '../../src/layers/bomb.ts';
import { measure } from '../../src/layers/measure.ts';
import { slice } from '../../src/layers/slice.ts';
import { unpack } from '../../src/layers/unpack.ts';
import { verified } from '../../src/layers/verified.ts';
import { createNodeLayerCodec } from '../../src/runtime/node/layer-codec.ts';
import { type BenchLayer, type BenchLayers, prepareLayers } from './layer-data.ts';

const MiB = 2 ** 20;
/** As `npm start` runs the proxy: buffers that are done with are collected sooner. */
const flags = ['--max-semi-space-size=2', ...process.execArgv];
const limits = defaultUnpackLimits;
const codec = createNodeLayerCodec();

/** As `fetch` gives a body: up to 64 KiB at a time. */
async function read(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await open(path);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(65_536));
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
        await file.close();
        controller.close();
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream) {
    // A client that takes what comes.
  }
}

async function serve(layer: BenchLayer): Promise<void> {
  const { compression } = layer;
  const plain = unpack(await read(layer.path), compression, { codec, limits, what: 'layer' });
  await drain(verified(plain, { digest: layer.diffId, size: layer.size }, codec, 'layer'));
}

async function learn(layer: BenchLayer): Promise<void> {
  const facts = await measure(await read(layer.path), { codec, limits, digest: layer.digest });
  if (facts.diffId !== layer.diffId) throw new Error(`measured ${facts.diffId}, not ${layer.diffId}`);
}

async function range(layer: BenchLayer): Promise<void> {
  const { compression, size } = layer;
  const plain = unpack(await read(layer.path), compression, { codec, limits, what: 'layer' });
  await drain(slice(plain, { start: Math.floor(size / 2), end: size - 1 }, 'layer'));
}

const tasks: Readonly<Record<string, (layers: BenchLayers) => Promise<unknown>>> = {
  'serve zstd': ({ zstd }) => serve(zstd),
  'range zstd': ({ zstd }) => range(zstd),
  'learn zstd': ({ zstd }) => learn(zstd),
  'serve zstd:chunked': ({ chunked }) => serve(chunked),
  'learn gzip': ({ gzip }) => learn(gzip),
  'serve 8 × zstd': ({ zstd8MiB }) => Promise.all(Array.from({ length: 8 }, () => serve(zstd8MiB))),
};

const programs: Readonly<Record<string, (layers: BenchLayers) => string>> = {
  'zstd -dc | sha256sum': ({ zstd }) => `zstd -dc ${zstd.path} | sha256sum`,
  'gunzip | sha256sum': ({ gzip }) => `gunzip -c ${gzip.path} | sha256sum`,
};

/** Peak resident memory of this process, in MiB. */
function peakMemory(): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

async function runTask(name: string): Promise<void> {
  const layers = await prepareLayers();
  const idle = peakMemory();
  const started = performance.now();
  await tasks[name]?.(layers);
  const seconds = (performance.now() - started) / 1000;
  const amount = name.includes('8 ×') ? 8 * layers.zstd8MiB.size : layers.zstd.size;
  report(name, amount, seconds, `${(peakMemory() - idle).toFixed(0)} MiB above idle`);
}

function runProgram(name: string, command: string, size: number): void {
  if (spawnSync('sh', ['-c', `command -v ${command.split(' ', 1)[0]}`]).status !== 0) return;
  const started = performance.now();
  execFileSync('sh', ['-c', command]);
  report(name, size, (performance.now() - started) / 1000, '');
}

function report(name: string, size: number, seconds: number, memory: string): void {
  const speed = (size / MiB / seconds).toFixed(0);
  console.log(`${name.padEnd(22)} ${seconds.toFixed(2).padStart(6)} s ${speed.padStart(6)} MiB/s  ${memory}`);
}

const [task] = process.argv.slice(2);
if (task !== undefined) {
  await runTask(task);
} else {
  const layers = await prepareLayers();
  for (const [name, command] of Object.entries(programs)) runProgram(name, command(layers), layers.zstd.size);
  for (const name of Object.keys(tasks)) {
    process.stdout.write(execFileSync(process.execPath, [...flags, import.meta.filename, name]));
  }
}
