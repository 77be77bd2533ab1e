/** Two replicas with one Redis behind nginx, against one replica: `npm run bench -- --only fleet`. */
import { conversionsMade } from '../support/conversions-made.ts';
import { freePort } from '../support/daemon.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { havePrograms } from '../support/programs.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { ask, docker19, keptConnections } from './ask.ts';
import { interleaved } from './interleaved.ts';
import { startNginx } from './nginx.ts';
import { leftOut, printJson, report } from './report.ts';
import { startBenchUpstream } from './worker-upstream.ts';

const images = 200;
const clients = 64;
const rounds = 3;

if (!havePrograms('nginx', 'redis-server')) {
  leftOut('fleet', 'nginx or redis-server');
  process.exit(0);
}

/** Each client asks for all images of a new round, in one order: a fleet of machines that is deployed to. @returns seconds. */
async function deployment(port: number, round: string): Promise<number> {
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let image = 0; image < images; image += 1) {
        await ask(port, `/v2/image/manifests/${round}-${image}`, docker19);
      }
    }),
  );
  return (performance.now() - started) / 1000;
}

const upstream = await startBenchUpstream();
const redis = await startRedisServer();

async function replica(variables: Record<string, string>) {
  const metricsPort = await freePort();
  const process = await startNodeProcess({
    ...{ REGSHIFT_UPSTREAM: upstream.url, REGSHIFT_METRICS_PORT: String(metricsPort) },
    ...variables,
  });
  const made = async () => {
    const { body } = await ask(metricsPort, '/metrics');
    return conversionsMade(body).reduce((sum, count) => sum + count, 0);
  };
  return { ...process, made };
}

const balanced = (ports: readonly number[]) =>
  startNginx(`location = /v2/ { return 200; }
  location / { proxy_pass http://fleet; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
  upstream fleet { ${ports.map((port) => `server 127.0.0.1:${port};`).join(' ')} keepalive 64;`);

const shared = { REGSHIFT_REDIS_URL: redis.url };
const replicas = [await replica(shared), await replica(shared)];
const one = await replica({});
const fleet = await balanced(replicas.map(({ port }) => port));
const single = await balanced([one.port]);

let round = 0;
const took = await interleaved(rounds, {
  fleet: () => deployment(fleet.port, `fleet${round++}`),
  single: () => deployment(single.port, `single${round++}`),
});
const made = (await Promise.all(replicas.map((each) => each.made()))).reduce((sum, count) => sum + count, 0);
report({
  work: `${images} images asked for by ${clients} clients at once: conversions that two replicas with one Redis made`,
  regshift: `${made} conversions`,
  against: `${rounds * images} different images, and ${await one.made()} conversions of one replica`,
  ...{ figure: (rounds * images) / made, bound: 0.99, is: 'least' },
});
report({
  work: 'the same, in seconds until all clients have all images',
  ...{ regshift: `${took.fleet.toFixed(2)} s`, against: `one replica: ${took.single.toFixed(2)} s` },
  ...{ figure: took.single / took.fleet, is: 'least' },
});

for (const each of [...replicas, one, fleet, single, redis]) await each.stop();
upstream.stop();
keptConnections.destroy();
printJson();
