/**
 * Measures the store for layers: a folder in front of a docker-registry, against files that a bare Node server and nginx
 * send, and against regshift without a store: `npm run bench -- --only store`.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type BareWorkerd, memoryOf } from '../support/bare-workerd.ts';
import { freePort } from '../support/daemon.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { interleaved } from './interleaved.ts';
import { plainLayer, prepareLayers } from './layer-data.ts';
import { askUntilRead, pushLayer } from './layer-images.ts';
import { serveFiles } from './nginx.ts';
import { leftOut, printJson, report } from './report.ts';

const MiB = 2 ** 20;
const rounds = 5;
const mostAboveIdle = 80;

const missing = ['docker-registry', 'nginx'].find((name) => !havePrograms(name));
if (missing !== undefined) {
  leftOut('store', missing);
  process.exit(0);
}

const run = promisify(execFile);
const layers = await prepareLayers();
const { size, diffId } = layers.zstd;
const registry = await startDockerRegistry();
await pushLayer(registry.url, 'bench/zstd', layers.zstd);
await pushLayer(registry.url, 'bench/other', layers.other);

const urlOf = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;
const layerPath = (repository: string) =>
  `/v2/${repository}/blobs/${repository === 'bench/other' ? layers.other.diffId : diffId}`;

/** A proxy with a new folder, or without a store. */
async function start(withStore: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-bench-store-'));
  const settings = {
    REGSHIFT_UPSTREAM: registry.url,
    ...(withStore ? { REGSHIFT_STORE: `file://${folder}` } : {}),
  };
  const running = await startNodeProcess(settings);
  const stop = async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...running, stop };
}

/** @returns the seconds until the clients have all bytes. */
async function download(port: number, path: string, connections = 1, bytes = size): Promise<number> {
  const args = [join(import.meta.dirname, 'download.ts'), port, connections, bytes, path].map(String);
  return Number((await run(process.execPath, args)).stdout);
}

/** @returns the seconds of a whole first pull. */
async function pull(proxy: BareWorkerd, repository: string): Promise<number> {
  const started = performance.now();
  await askUntilRead(urlOf(proxy), repository, 'latest');
  const asked = (performance.now() - started) / 1000;
  return asked + (await download(proxy.port, layerPath(repository)));
}

/** @returns the seconds of a first pull from a new proxy. */
async function firstPull(withStore: boolean): Promise<number> {
  const fresh = await start(withStore);
  try {
    return await pull(fresh, 'bench/zstd');
  } finally {
    await fresh.stop();
  }
}

/** Runs work while clients read a layer slowly. */
async function withSlowReaders<Value>(
  { port }: BareWorkerd,
  connections: number,
  work: () => Promise<Value>,
): Promise<Value> {
  const program = join(import.meta.dirname, 'slow-readers.ts');
  const args = [program, String(port), String(connections), layerPath('bench/zstd')];
  const readers = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => void readers.kill('SIGKILL');
  process.once('exit', kill);
  try {
    await new Promise((resolve) => readers.stdout.once('data', resolve));
    return await work();
  } finally {
    kill();
    process.off('exit', kill);
  }
}

/** @returns the milliseconds until a request for one byte has its answer, at best. */
async function byteTime({ port }: BareWorkerd, range: string): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const started = performance.now();
    const answer = await fetch(`${urlOf({ port })}${layerPath('bench/zstd')}`, { headers: { Range: range } });
    await answer.arrayBuffer();
    times.push(performance.now() - started);
  }
  return Math.min(...times.slice(1));
}

const speed = (seconds: number, bytes = size) => `${Math.round(bytes / MiB / seconds)} MiB/s`;

const stored = await start(true);
await pull(stored, 'bench/zstd');
const file = plainLayer;
const nginx = await serveFiles(dirname(file));
const barePort = await freePort();
const bare = spawn(process.execPath, [join(import.meta.dirname, 'file-server.ts'), String(barePort), file]);
const filePath = `/${file.slice(dirname(file).length + 1)}`;
await sleep(500);

for (const { clients, peers } of [
  { clients: 1, peers: 'one client' },
  { clients: 8, peers: 'eight clients' },
]) {
  const took = await interleaved(rounds, {
    store: () => download(stored.port, layerPath('bench/zstd'), clients),
    bare: () => download(barePort, '/', clients),
    nginx: () => download(nginx.port, filePath, clients),
  });
  const work = `second pull of a zstd layer of 512 MiB as tar from a folder, ${peers}`;
  const regshift = speed(took.store, clients * size);
  const against = (seconds: number) => speed(seconds, clients * size);
  report({
    work: `${work}, against a bare Node server of the same file`,
    regshift,
    against: against(took.bare),
    figure: took.bare / took.store,
    bound: 0.9,
    is: 'least',
  });
  report({
    work: `${work}, against nginx`,
    regshift,
    against: against(took.nginx),
    figure: took.nginx / took.store,
    bound: 0.6,
    is: 'least',
  });
}

const first = await interleaved(rounds, {
  store: () => firstPull(true),
  none: () => firstPull(false),
});
report({
  work: 'first pull of it through the store, against the same without a store',
  regshift: `${first.store.toFixed(1)} s`,
  against: `${first.none.toFixed(1)} s`,
  figure: first.none / first.store,
  bound: 0.9,
  is: 'least',
});

const [firstByte, lastByte] = [
  await byteTime(stored, 'bytes=0-0'),
  await byteTime(stored, `bytes=${size - 1}-`),
];
report({
  work: 'its last byte by Range, second time, against its first byte',
  regshift: `${lastByte.toFixed(2)} ms`,
  against: `${firstByte.toFixed(2)} ms`,
  figure: lastByte / firstByte,
  bound: 1.5,
  is: 'most',
});

/** The first pull of another image, whose layer has other content. */
async function pullOther(): Promise<number> {
  const fresh = await start(true);
  try {
    return await pull(fresh, 'bench/other');
  } finally {
    await fresh.stop();
  }
}

async function pullOtherBesideReaders(): Promise<number> {
  const fresh = await start(true);
  try {
    await pull(fresh, 'bench/zstd');
    return await withSlowReaders(fresh, 32, () => pull(fresh, 'bench/other'));
  } finally {
    await fresh.stop();
  }
}
const beside = await interleaved(3, { readers: pullOtherBesideReaders, alone: pullOther });
report({
  work: 'first pull of another image beside 32 slow readers of a stored layer, against that pull alone',
  regshift: `${beside.readers.toFixed(1)} s`,
  against: `${beside.alone.toFixed(1)} s`,
  figure: beside.alone / beside.readers,
  bound: 0.7,
  is: 'least',
});

const idle = memoryOf(stored.pid);
const peak = await withSlowReaders(stored, 200, async () => {
  let most = 0;
  for (let look = 0; look < 50; look += 1) {
    most = Math.max(most, memoryOf(stored.pid));
    await sleep(100);
  }
  return most;
});
report({
  work: '200 slow readers of a stored layer, against memory before them, in MiB',
  regshift: `${Math.round(peak)} MiB`,
  against: `${Math.round(idle)} MiB`,
  figure: peak - idle,
  bound: mostAboveIdle,
  is: 'most',
});

bare.kill('SIGKILL');
await Promise.all([stored.stop(), nginx.stop(), registry.stop()]);
printJson();
