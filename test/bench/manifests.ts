/** Measures converted manifests: `npm run bench -- --only manifests`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { mediaTypes } from '../../converters/media-types.ts';
import { freePort } from '../support/daemon.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { pushImage } from '../support/push.ts';
import { image } from './docker-image.ts';
import { interleaved, load } from './interleaved.ts';
import { leftOut, printJson, rate, report } from './report.ts';

const rounds = 5;
const connections = 32;
const docker19 = ['User-Agent: docker/1.9.1 go/go1.4.3 os/linux arch/amd64'];

/** A request as `load` sends it. `fetch` would add an Accept of all types, whose answer has another form. */
async function answerOf(port: number): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  const [name = '', value = ''] = docker19[0]?.split(': ') ?? [];
  const sent = get({ host: '127.0.0.1', port, path, headers: { [name]: value } });
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { headers: answer.headers, body: await buffer(answer) };
}

async function startBare(port: number): Promise<ChildProcess> {
  const { headers, body } = await answerOf(remembered.port);
  const file = join(import.meta.dirname, 'bare.ts');
  const child = spawn(process.execPath, [file, String(port), JSON.stringify(headers)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin?.end(body);
  await sleep(1000);
  const sent = await answerOf(port);
  if (!sent.body.equals(body)) throw new Error('The bare route does not send the bytes of regshift');
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
await load({ port: registry.port, path, headers: docker19, connections: 1 });
// A bare route writes no log, so the proxy that is compared with it writes none either.
const variables = { REGSHIFT_UPSTREAM: registry.url, LOG_LEVEL: 'warn' };
const remembered = await startNodeProcess(variables);
const logging = await startNodeProcess({ ...variables, LOG_LEVEL: 'info' });
const asking = await startNodeProcess({ ...variables, REGSHIFT_TAG_TTL: '0' });
const barePort = await freePort();
const bare = await startBare(barePort);

const first = await interleaved(rounds, {
  regshift: () => load({ port: remembered.port, path, headers: docker19 }),
  logging: () => load({ port: logging.port, path, headers: docker19 }),
  registry: () => load({ port: registry.port, path, headers: docker19 }),
  bare: () => load({ port: barePort, path, headers: docker19 }),
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
  bound: 0.75,
  is: 'least',
});

report({
  work: 'the same with a line of log for each request',
  regshift: rate(first.logging),
  against: rate(first.bare),
  figure: first.logging / first.bare,
  is: 'least',
});

// Each connection has a tag: with one tag, one upstream request would serve all connections.
const asked = { path: '/v2/bench/app/manifests/{}', method: 'HEAD' } as const;
const accept = [`Accept: ${mediaTypes.schema2}`];
const second = await interleaved(rounds, {
  regshift: () => load({ port: asking.port, ...asked, method: 'GET', headers: docker19 }),
  upstream: () => load({ port: registry.port, ...asked, headers: accept }),
});
report({
  work: 'the same with REGSHIFT_TAG_TTL=0, against the same HEADs to upstream directly',
  regshift: rate(second.regshift),
  against: rate(second.upstream),
  figure: second.regshift / second.upstream,
  bound: 0.6,
  is: 'least',
});

bare.kill();
await Promise.all([remembered.stop(), logging.stop(), asking.stop(), registry.stop()]);
printJson();
