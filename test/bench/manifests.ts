/** Measures converted manifests: `npm run bench -- --only manifests`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mediaTypes } from '../../converters/media-types.ts';
import { freePort } from '../support/daemon.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';
import { ask, docker19, keptConnections } from './ask.ts';
import { image } from './docker-image.ts';
import { interleaved, load } from './interleaved.ts';
import { leftOut, printJson, rate, report } from './report.ts';

const rounds = 5;
const connections = 32;
const linesOfDocker19 = Object.entries(docker19).map(([name, value]) => `${name}: ${value}`);

async function startBare(port: number): Promise<ChildProcess> {
  // As `load` asks: `fetch` would add an Accept of all types, whose response has another form.
  const { headers, body } = await ask(remembered.port, path, docker19);
  const file = join(import.meta.dirname, 'bare.ts');
  const child = spawn(process.execPath, [file, String(port), JSON.stringify(headers)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin?.end(body);
  await sleep(1000);
  const sent = await ask(port, path, docker19);
  if (sent.body !== body) throw new Error('The bare route does not send the bytes of regshift');
  return child;
}

const path = '/v2/bench/app/manifests/0';
if (!havePrograms('docker-registry')) {
  leftOut('converted manifests', 'docker-registry');
  process.exit(0);
}
const registry = await startDockerRegistry();
for (let tag = 0; tag < connections; tag += 1)
  await pushImage(registry.url, 'bench/app', String(tag), image());
// docker-registry 2.8.2 answers 400 when its first requests come at the same time: each of them stores the empty layer.
await load({ port: registry.port, path, headers: linesOfDocker19, connections: 1 });
// A bare route writes no log, so the proxy that is compared with it writes none either.
const variables = { REGSHIFT_UPSTREAM: registry.url, LOG_LEVEL: 'warn' };
const remembered = await startNodeProcess(variables);
const logging = await startNodeProcess({ ...variables, LOG_LEVEL: 'info' });
const asking = await startNodeProcess({ ...variables, REGSHIFT_TAG_TTL: '0' });
const barePort = await freePort();
const bare = await startBare(barePort);

const first = await interleaved(rounds, {
  regshift: () => load({ port: remembered.port, path, headers: linesOfDocker19 }),
  logging: () => load({ port: logging.port, path, headers: linesOfDocker19 }),
  registry: () => load({ port: registry.port, path, headers: linesOfDocker19 }),
  bare: () => load({ port: barePort, path, headers: linesOfDocker19 }),
});
report({
  work: `converted manifest, remembered, ${connections} connections, against docker-registry 2.8.2 converting the same image`,
  regshift: rate(first.regshift),
  against: rate(first.registry),
  figure: first.regshift / first.registry,
  bound: 20,
  is: 'least',
});
report({
  work: 'the same against a bare Hono route that sends the same bytes',
  regshift: rate(first.regshift),
  against: rate(first.bare),
  figure: first.regshift / first.bare,
  bound: 0.9,
  is: 'least',
});

report({
  work: 'the same with a line of log for each request',
  regshift: rate(first.logging),
  against: rate(first.bare),
  figure: first.logging / first.bare,
  bound: 0.7,
  is: 'least',
});

// Each connection has a tag: with one tag, one upstream request would serve all connections.
const asked = { path: '/v2/bench/app/manifests/{}', method: 'HEAD' } as const;
const accept = [`Accept: ${mediaTypes.schema2}`];
const second = await interleaved(rounds, {
  regshift: () => load({ port: asking.port, ...asked, method: 'GET', headers: linesOfDocker19 }),
  upstream: () => load({ port: registry.port, ...asked, headers: accept }),
});
report({
  work: 'the same with REGSHIFT_TAG_TTL=0, against the same HEADs to upstream directly',
  regshift: rate(second.regshift),
  against: rate(second.upstream),
  figure: second.regshift / second.upstream,
  bound: 0.75,
  is: 'least',
});

keptConnections.destroy();
bare.kill();
await Promise.all([remembered.stop(), logging.stop(), asking.stop(), registry.stop()]);
printJson();
