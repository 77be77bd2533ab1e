import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../fuzz/random.ts';
import { secretsIn } from '../support/isolation/logs.ts';
import { startWorld, type World } from '../support/isolation/world.ts';
import { startMixedUpstream } from '../support/mixed/upstream.ts';
import type { Crew } from './crews/crew.ts';
import { runIsolatedUsers } from './crews/isolated-users.ts';
import { runMixedClients } from './crews/mixed-clients.ts';
import { runNotifiers } from './crews/notifiers.ts';
import { runPushers } from './crews/pushers.ts';
import { disturb } from './disturbances.ts';
import { eventsSecret, type SoakFleet, startSoakFleet } from './fleet.ts';
import { type PushUpstream, startPushUpstream } from './push-upstream.ts';
import { type Resources, resourcesOf, sampleResources } from './resources.ts';
import { Tally } from './tally.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
}

export interface ReplicaReport {
  readonly name: string;
  /** Before the load, the lowest figures of each tenth under load, and once the load has ended. */
  readonly idle: Resources;
  readonly tenths: readonly Resources[];
  readonly settled: Resources;
  /** Bytes of heap that the program can reach, after a tenth of the time and at the end. */
  readonly heap: readonly [warm: number, end: number];
}

export interface SoakReport {
  readonly seconds: number;
  readonly requests: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Wrong responses, refusals without a reason, secrets in the log, and failures of the disturbances. */
  readonly wrong: readonly string[];
  readonly silent: readonly string[];
  readonly replicas: readonly ReplicaReport[];
}

/** Milliseconds: the proxy's longest deadline and the registries' longest idle connection are a minute each. */
const settledWithin = 75_000;
/** Connections to upstreams, to the Redis and to the inspector that a replica keeps. */
const keptConnections = 8;

/**
 * Runs two replicas for a time under a mixed load: old and new clients, logins, pushes in other forms, API v1, ranges,
 * clients that leave, notifications; while a tenth of the registries' responses are wrong, the Redis dies twice, and the
 * certificate is renewed.
 */
export async function runSoak({ seconds, seed }: SoakOptions): Promise<SoakReport> {
  const world = await startWorld(seed);
  const random = new Random(seed);
  const mixed = await startMixedUpstream(random, 10, 40);
  const pushes: Record<string, PushUpstream> = {};
  for (const generation of ['docker', 'today', 'oci'] as const)
    pushes[generation] = await startPushUpstream(generation, random);
  const tally = new Tally();
  const urls = Object.fromEntries(Object.entries(pushes).map(([path, { url }]) => [path, url]));
  const fleet = await startSoakFleet({ world, mixed: mixed.url, pushes: urls }, watchLog(world, tally));
  const end = new AbortController();
  const crew: Crew = { seed, ports: fleet.ports, world, pushes, tally, signal: end.signal };
  try {
    const idle = await Promise.all(fleet.replicas.map(resourcesOf));
    const load = [runIsolatedUsers, runMixedClients, runPushers, runNotifiers].map((run) => run(crew));
    // A crew that fails ends the soak.
    const failed = Promise.all(load).then(() => new Promise<never>(() => {}));
    const sampled = Promise.all(fleet.replicas.map((each) => sampleResources(each, seconds)));
    const measured = sleep(seconds * 100).then(() => heapsOf(fleet));
    const complaints = await Promise.race([disturb(fleet, seconds), failed]);
    const tenths = await Promise.race([sampled, failed]);
    end.abort();
    await Promise.all(load);
    if (fleet.relay.failures() > 0) complaints.push(`${fleet.relay.failures()} TLS handshakes failed`);
    const warm = await measured;
    const settled = await settle(fleet, idle);
    const last = await heapsOf(fleet);
    const replicas = fleet.replicas.map(({ name }, at) => ({
      name,
      idle: idle[at] as Resources,
      tenths: tenths[at] ?? [],
      settled: settled[at] as Resources,
      heap: [warm[at] ?? 0, last[at] ?? 0] as const,
    }));
    const { requests, outcomes, wrong, silent } = tally;
    return { seconds, requests, outcomes, wrong: [...wrong, ...complaints], silent, replicas };
  } finally {
    end.abort();
    await fleet.stop();
    for (const { stop } of Object.values(pushes)) await stop();
    await mixed.stop();
    await world.stop();
  }
}

async function heapsOf({ replicas }: SoakFleet): Promise<number[]> {
  return Promise.all(replicas.map(async ({ inspector }) => (await inspector.held()).heap));
}

/** Waits until the work of the load has ended, for a while. */
async function settle({ replicas }: SoakFleet, idle: readonly Resources[]): Promise<Resources[]> {
  for (const until = performance.now() + settledWithin; ; ) {
    await sleep(1_000);
    const now = await Promise.all(replicas.map(resourcesOf));
    const isSettled = now.every(
      ({ descriptors }, at) => descriptors - (idle[at]?.descriptors ?? 0) <= keptConnections,
    );
    if (isSettled || performance.now() > until) return now;
  }
}

/** Searches the log for secrets and for failures of the program, line by line. */
function watchLog(world: World, tally: Tally): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const secrets = [...secretsIn(line, world), ...(line.includes(eventsSecret) ? ['a secret'] : [])];
      for (const secret of secrets) tally.addWrong(`${secret}: ${line}`);
      if (line.includes('"level":"error"')) tally.addWrong(`an error in the log: ${line}`);
    }
  };
}
