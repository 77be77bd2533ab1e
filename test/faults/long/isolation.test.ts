import { describe, expect, it } from 'vitest';
import { secretsIn } from '../../support/isolation/logs.ts';
import {
  lifetimes,
  type Proxies,
  startFleet,
  startNode,
  startWorker,
} from '../../support/isolation/proxies.ts';
import { runIsolation } from '../../support/isolation/run.ts';
import { startWorld, type World } from '../../support/isolation/world.ts';
import { requirePeers } from '../../support/programs.ts';

const seed = Number(process.env.ISOLATION_SEED ?? Math.floor(Math.random() * 1_000_000_000));
const requests = Number(process.env.ISOLATION_REQUESTS ?? 6_000);

/** Runs random users and rights against a flapping upstream. An oracle knows the allowed responses to each request. */
async function expectIsolation(start: (world: World) => Promise<Proxies>): Promise<void> {
  const world = await startWorld(seed);
  const proxies = await start(world);
  try {
    const { ports } = proxies;
    const report = await runIsolation(world, { seed, requests, ports, replicas: ports.length, ...lifetimes });
    console.log({ seed, requests: report.requests, outcomes: report.outcomes });
    const wrong = [...report.violations, ...secretsIn(proxies.output(), world)];
    const advice = `ISOLATION_SEED=${seed} chooses the same again`;
    expect(proxies.output()).toContain('"level"');
    expect
      .soft(wrong.length, `${wrong.length} violations; ${advice}\n\n${wrong.slice(0, 5).join('\n\n')}`)
      .toBe(0);
  } finally {
    await proxies.stop();
    await world.stop();
  }
}

describe('no response reveals content that its client may not read, or the failure of another client', () => {
  it(`on Node (seed ${seed})`, () => expectIsolation(startNode));

  it.skipIf(requirePeers('redis-server'))(`on two replicas that share a Redis (seed ${seed})`, () =>
    expectIsolation(startFleet),
  );

  it(`on workerd (seed ${seed})`, () => expectIsolation(startWorker));
});
