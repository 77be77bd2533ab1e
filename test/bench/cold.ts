/** Measures first requests and the start of the program: `npm run bench -- --only cold`. */
import { Agent, request } from 'node:http';
import { memoryOf } from '../support/bare-workerd.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { median } from './measure.ts';
import { printJson, report } from './report.ts';
import { startBenchUpstream } from './worker-upstream.ts';

const starts = 9;
/** The number of conversions before the measured ones: the content is cold, the process is warm. */
const warm = 2_000;
const conversions = 1_000;
const images = 10_000;
const cacheBytes = 67_108_864;
const MiB = 2 ** 20;

const agent = new Agent({ keepAlive: true });

/** Returns the milliseconds until the last byte. */
function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ took: number; body: string }> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent, headers }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text) => {
        body += text;
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) return reject(new Error(`${path}: ${answer.statusCode} ${body}`));
        resolve({ took: performance.now() - started, body });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

const upstream = await startBenchUpstream();
const upstreamPort = Number(new URL(upstream.url).port);
const docker19 = { 'User-Agent': 'docker/1.9.1 go/go1.4.3 os/linux arch/amd64' };

const times: number[] = [];
for (let start = 0; start < starts; start += 1) {
  const began = performance.now();
  const { stop, port } = await startNodeProcess({ REGSHIFT_UPSTREAM: upstream.url }, 5);
  await ask(port, '/v2/image/manifests/v0', docker19);
  times.push(performance.now() - began);
  await stop();
}
report({
  work: 'start to first answer (a converted manifest), without npm, in milliseconds',
  regshift: `${Math.round(median(times))} ms`,
  against: `${Math.round(Math.min(...times))} ms at best`,
  figure: median(times),
  bound: 600,
  is: 'most',
});

const regshift = await startNodeProcess({
  REGSHIFT_UPSTREAM: upstream.url,
  REGSHIFT_CACHE_BYTES: String(cacheBytes),
});
const through: number[] = [];
const directly: number[] = [];
for (let number = 0; number < warm + conversions; number += 1) {
  const fetches = await ask(upstreamPort, `/v2/image/manifests/direct${number}`);
  const { config } = JSON.parse(fetches.body) as { config: { digest: string } };
  const blob = await ask(upstreamPort, `/v2/image/blobs/${config.digest}`);
  const { took } = await ask(regshift.port, `/v2/image/manifests/cold${number}`, docker19);
  if (number < warm) continue;
  directly.push(fetches.took + blob.took);
  through.push(took);
}
report({
  work: 'cold conversion, against the two upstream fetches it cannot do without, in milliseconds more',
  regshift: `${median(through).toFixed(2)} ms`,
  against: `${median(directly).toFixed(2)} ms`,
  figure: median(through) - median(directly),
  bound: 2,
  is: 'most',
});

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
agent.destroy();
printJson();
