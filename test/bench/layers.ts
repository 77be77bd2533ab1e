/**
 * Compares regshift, which reads or decompresses layers of 512 MiB from a docker-registry, with the programs that a user
 * would run instead: `npm run bench -- --only layers`.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BareWorkerd, memoryOf } from '../support/bare-workerd.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { interleaved } from './interleaved.ts';
import { type BenchLayer, prepareLayers } from './layer-data.ts';
import { askUntilRead, pushAsSchema1, pushLayer } from './layer-images.ts';
import { leftOut, printJson, report } from './report.ts';

const MiB = 2 ** 20;
const rounds = 5;
const streams = 8;
const mostAboveIdle = 150;

const missing = ['docker-registry', 'curl', 'zstd', 'gunzip', 'sha256sum'].find(
  (name) => !havePrograms(name),
);
if (missing !== undefined) {
  leftOut('layers', missing);
  process.exit(0);
}

const run = promisify(execFile);
const layers = await prepareLayers();
const { size } = layers.zstd;
const registry = await startDockerRegistry();
for (const [name, layer] of Object.entries(layers)) await pushLayer(registry.url, repositoryOf(name), layer);
const first = await start();
await pushAsSchema1(registry.url, urlOf(first), repositoryOf('gzip'));
for (const name of ['zstd', 'chunked', 'zstd8MiB'])
  await askUntilRead(urlOf(first), repositoryOf(name), 'latest');

function repositoryOf(name: string): string {
  return `bench/${name.toLowerCase()}`;
}

function urlOf({ port }: BareWorkerd): string {
  return `http://127.0.0.1:${port}`;
}

function start(): Promise<BareWorkerd> {
  return startNodeProcess({ REGSHIFT_UPSTREAM: registry.url });
}

/** Returns the seconds that a shell command takes. */
async function shell(command: string): Promise<number> {
  const started = performance.now();
  await run('sh', ['-c', `set -e; ${command}`]);
  return (performance.now() - started) / 1000;
}

function upstreamUrl(name: string, { digest }: BenchLayer): string {
  return `${registry.url}/v2/${repositoryOf(name)}/blobs/${digest}`;
}

/** Returns the seconds until one or several clients have a whole decompressed layer. */
async function download({ port }: BareWorkerd, name: string, connections = 1): Promise<number> {
  const path = `/v2/${repositoryOf(name)}/blobs/${layers.zstd.diffId}`;
  const program = join(import.meta.dirname, 'download.ts');
  const args = [program, String(port), String(connections), String(size), path];
  return Number((await run(process.execPath, args)).stdout);
}

/** Returns the seconds in which a proxy with empty caches reads the layers of an image. */
async function learn(name: string, tag: string): Promise<number> {
  const fresh = await start();
  const started = performance.now();
  await askUntilRead(urlOf(fresh), repositoryOf(name), tag);
  const took = (performance.now() - started) / 1000;
  await fresh.stop();
  return took;
}

function speed(seconds: number, bytes = size): string {
  return `${Math.round(bytes / MiB / seconds)} MiB/s`;
}

const { zstd, gzip } = layers;
const took = await interleaved(rounds, {
  zstd: () => download(first, 'zstd'),
  chunked: () => download(first, 'chunked'),
  zstdProgram: () => shell(`curl -sf ${upstreamUrl('zstd', zstd)} | zstd -dc | sha256sum`),
  gzip: () => learn('gzip', 'v1'),
  zstdLearned: () => learn('zstd', 'latest'),
  gzipProgram: () => shell(`gunzip -c < ${gzip.path} | sha256sum`),
});
report({
  work: 'zstd layer of 512 MiB served as tar, against curl | zstd -dc | sha256sum',
  regshift: speed(took.zstd),
  against: speed(took.zstdProgram),
  figure: took.zstdProgram / took.zstd,
  bound: 0.95,
  is: 'least',
});
report({
  work: 'zstd:chunked served as tar, against the same',
  regshift: speed(took.chunked),
  against: speed(took.zstdProgram),
  figure: took.zstdProgram / took.chunked,
  is: 'least',
});
report({
  work: 'gzip layer of a schema 1 image read for its facts, against gunzip | sha256sum',
  regshift: speed(took.gzip),
  against: speed(took.gzipProgram),
  figure: took.gzipProgram / took.gzip,
  bound: 0.8,
  is: 'least',
});
report({
  work: 'zstd layer read for its facts, against curl | zstd -dc | sha256sum',
  regshift: speed(took.zstdLearned),
  against: speed(took.zstdProgram),
  figure: took.zstdProgram / took.zstdLearned,
  is: 'least',
});

const fresh = await start();
const idle = memoryOf(fresh.pid);
await askUntilRead(urlOf(fresh), repositoryOf('zstd8MiB'), 'latest');
let peak = memoryOf(fresh.pid);
const look = setInterval(() => {
  peak = Math.max(peak, memoryOf(fresh.pid));
}, 50);
const seconds = await download(fresh, 'zstd8MiB', streams);
clearInterval(look);
report({
  work: `${streams} such layers with windows of 8 MiB served as tar at once, against memory when idle, in MiB`,
  regshift: `${Math.round(peak)} MiB at ${speed(seconds, streams * size)}`,
  against: `${Math.round(idle)} MiB`,
  figure: peak - idle,
  bound: mostAboveIdle,
  is: 'most',
});

await Promise.all([first.stop(), fresh.stop(), registry.stop()]);
printJson();
