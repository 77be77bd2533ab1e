/** Blobs through the sidecar on Node: `npm run bench -- --only blobs`. */
import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { memoryOf } from '../support/bare-workerd.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { interleaved } from './interleaved.ts';
import { proxyPass, serveFiles } from './nginx.ts';
import { leftOut, printJson, report } from './report.ts';

const MiB = 2 ** 20;
const length = 1024 * MiB;
const rounds = 5;
const readers = 200;
const mostAboveIdle = 150;

if (!havePrograms('nginx')) {
  leftOut('blobs', 'nginx');
  process.exit(0);
}

/** Writes a GiB that does not repeat itself to the file of a registry's blob. @returns the path of the blob. */
function writeBlob(root: string): string {
  const directory = join(root, 'v2/bench/blobs');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `sha256:${createHash('sha256').update('bench').digest('hex')}`);
  const out = openSync(file, 'w');
  const bytes = new Uint8Array(MiB);
  for (let written = 0; written < length; written += MiB) writeSync(out, randomFillSync(bytes));
  closeSync(out);
  return file.slice(root.length);
}

async function seconds(port: number, connections: number): Promise<number> {
  const program = join(import.meta.dirname, 'download.ts');
  const args = [program, String(port), String(connections), String(length), path];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

/** Starts clients that request a GiB and read at most 64 KiB of it each second. */
async function slowReaders(port: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: readers }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 1000).unref();
    });
    return socket;
  });
  await sleep(1000);
  return sockets;
}

const root = mkdtempSync(join(tmpdir(), 'regshift-bench-blobs-'));
// The workers of nginx run as another user.
chmodSync(root, 0o755);
const path = writeBlob(root);
const upstream = await serveFiles(root);
const nginx = await proxyPass(upstream.port);
const regshift = await startNodeProcess({ REGSHIFT_UPSTREAM: `http://127.0.0.1:${upstream.port}` });

for (const [connections, bound] of [
  [1, 0.95],
  [8, 0.9],
] as const) {
  const took = await interleaved(rounds, {
    regshift: () => seconds(regshift.port, connections),
    nginx: () => seconds(nginx.port, connections),
  });
  const speed = (time: number) => `${Math.round((connections * length) / MiB / time)} MiB/s`;
  report({
    work: `1 GiB blob, ${connections === 1 ? 'one stream' : `${connections} streams`}, against nginx proxy_pass to the same upstream`,
    regshift: speed(took.regshift),
    against: speed(took.nginx),
    figure: took.nginx / took.regshift,
    bound,
    is: 'least',
  });
}

const fresh = await startNodeProcess({ REGSHIFT_UPSTREAM: `http://127.0.0.1:${upstream.port}` });
const idle = memoryOf(fresh.pid);
const sockets = await slowReaders(fresh.port);
let peak = 0;
for (let look = 0; look < 40; look += 1) {
  peak = Math.max(peak, memoryOf(fresh.pid));
  await sleep(250);
}
for (const socket of sockets) socket.destroy();
report({
  work: `${readers} slow readers of a 1 GiB blob, against memory when idle, in MiB`,
  regshift: `${Math.round(peak)} MiB`,
  against: `${Math.round(idle)} MiB`,
  figure: peak - idle,
  bound: mostAboveIdle,
  is: 'most',
});

await Promise.all([regshift.stop(), fresh.stop(), nginx.stop(), upstream.stop()]);
rmSync(root, { recursive: true, force: true });
printJson();
