/** Pushes that need no conversion, through the sidecar on Node: `npm run bench -- --only pushes`. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { mediaTypes } from '../../converters/media-types.ts';
import { freePort, isListening } from '../support/daemon.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { image } from './docker-image.ts';
import { interleaved, load } from './interleaved.ts';
import { proxyPass } from './nginx.ts';
import { leftOut, printJson, rate, report } from './report.ts';

const MiB = 2 ** 20;
const length = 128 * MiB;
const rounds = 5;
const warmUps = 3;
const connections = 16;

if (!havePrograms('nginx')) {
  leftOut('pushes', 'nginx');
  process.exit(0);
}

const body = image()
  .manifests.map(({ bytes }) => new TextDecoder().decode(bytes))
  .join('');

/** Pushes of one manifest per second, each connection to a tag of its own. */
const manifests = (port: number) =>
  load({
    ...{ port, path: '/v2/bench/app/manifests/{}', method: 'PUT', status: 201, connections },
    ...{ body, headers: [`Content-Type: ${mediaTypes.schema2}`] },
  });

async function layers(port: number, streams: number): Promise<number> {
  const args = [join(import.meta.dirname, 'upload.ts'), port, streams, length].map(String);
  const seconds = Number((await promisify(execFile)(process.execPath, args)).stdout);
  return (streams * length) / MiB / seconds;
}

const sinkPort = await freePort();
const sink = spawn(process.execPath, [join(import.meta.dirname, 'push-sink.ts'), String(sinkPort)], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
process.once('exit', () => sink.kill('SIGKILL'));
while (!(await isListening(sinkPort))) await sleep(25);
const upstream = { REGSHIFT_UPSTREAM: `http://127.0.0.1:${sinkPort}` };
const nginx = await proxyPass(sinkPort);
const regshift = await startNodeProcess(upstream);
const asis = await startNodeProcess({ ...upstream, REGSHIFT_PUSH_FORMAT: 'asis' });

for (const { port } of [regshift, asis]) {
  for (let round = 0; round < warmUps; round += 1) await manifests(port);
}
const pushed = await interleaved(rounds, {
  regshift: () => manifests(regshift.port),
  asis: () => manifests(asis.port),
  nginx: () => manifests(nginx.port),
  straight: () => manifests(sinkPort),
});
const work = `push of a manifest, ${connections} connections`;
for (const [against, found, bound] of [
  ['against the same with REGSHIFT_PUSH_FORMAT=asis, which never converts', pushed.asis, 0.9],
  ['against nginx proxy_pass to the same upstream', pushed.nginx, undefined],
  ['against the same straight at the upstream, which stores nothing', pushed.straight, undefined],
] as const) {
  report({
    ...{ work: `${work}, ${against}`, regshift: rate(pushed.regshift), against: rate(found) },
    ...{ figure: pushed.regshift / found, is: 'least', ...(bound === undefined ? {} : { bound }) },
  });
}

const speed = (mebibytes: number) => `${Math.round(mebibytes)} MiB/s`;
for (const streams of [1, 4]) {
  const took = await interleaved(rounds, {
    regshift: () => layers(regshift.port, streams),
    nginx: () => layers(nginx.port, streams),
    straight: () => layers(sinkPort, streams),
  });
  const name = `upload of a layer of ${length / MiB} MiB, ${streams === 1 ? 'one stream' : `${streams} streams`}`;
  for (const [against, found] of [
    ['against nginx proxy_pass to the same upstream', took.nginx],
    ['against the same straight at the upstream', took.straight],
  ] as const) {
    report({
      ...{ work: `${name}, ${against}`, regshift: speed(took.regshift), against: speed(found) },
      ...{ figure: took.regshift / found, is: 'least' },
    });
  }
}

await Promise.all([regshift.stop(), asis.stop(), nginx.stop()]);
sink.kill();
printJson();
