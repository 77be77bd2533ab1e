import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Random } from '../../fuzz/random.ts';
import { contentFaults, quickFaults, slowFaults } from '../../support/faults/faults.ts';
import {
  goodLogin,
  type HostileUpstream,
  startHostileUpstream,
} from '../../support/faults/hostile-upstream.ts';
import { factsOfProcess } from '../../support/faults/process-facts.ts';
import { ask, outcomeOf, type TargetName, targets } from '../../support/faults/targets.ts';
import { startNodeProcess } from '../../support/node-process.ts';
import { inspectable, inspectProcess } from '../../support/process-inspector.ts';

const faults = Object.entries({ ...quickFaults, ...slowFaults });
const names = (Object.keys(targets) as TargetName[]).filter((name) => targets[name].wants === 'nothing');

/** A client that disconnects before or during its response. */
async function leave(port: number, path: string, afterMs: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await sleep(afterMs);
  socket.destroy();
}

async function round(port: number, random: Random): Promise<string> {
  const target = targets[random.one(names)];
  if (random.oneIn(4)) {
    await leave(port, target.path, random.below(30));
    return 'left';
  }
  const outcome = await outcomeOf(ask(target, port, goodLogin, 1_000)).catch(() => 'left');
  return outcome;
}

/** Runs rounds of random faults, eight at a time. @returns the number of each outcome. */
async function rounds(count: number, port: number, upstream: HostileUpstream, random: Random) {
  const outcomes: Record<string, number> = {};
  let left = count;
  upstream.misbehave(
    (asked) => {
      const [name, how] = random.one(faults);
      const isBlob = asked.request.url?.includes('/blobs/');
      const spared = isBlob && contentFaults.includes(name);
      return (spared ? quickFaults['answers 500'] : how)(asked);
    },
    () => random.oneIn(3),
  );
  const client = async () => {
    while (left-- > 0) {
      const outcome = await round(port, random);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  upstream.recover();
  return outcomes;
}

it('a thousand rounds of faults leave nothing behind: no connection, no memory', async () => {
  const upstream = await startHostileUpstream();
  // Nothing is served from the cache: every round sends requests to upstream.
  const variables = { REGSHIFT_UPSTREAM: upstream.url, REGSHIFT_TAG_TTL: '0', REGSHIFT_STALE: '0' };
  const written: string[] = [];
  const proxy = await startNodeProcess({ ...variables, ...inspectable }, 25, (text) => written.push(text));
  const inspector = await inspectProcess(written.join(''));
  /** After a collection: without one, the process has 30 MB of garbage at one time and none at another. */
  const facts = async () => {
    await inspector.held();
    return factsOfProcess(proxy.pid);
  };
  const random = new Random(7);
  try {
    const fresh = await facts();
    await rounds(500, proxy.port, upstream, random);
    const warm = await facts();
    const outcomes = await rounds(1_000, proxy.port, upstream, random);
    // Stalled connections end after a minute without a byte, those of disconnected clients at once.
    const settled = () => factsOfProcess(proxy.pid).descriptors - fresh.descriptors;
    await expect.poll(settled, { timeout: 180_000, interval: 1_000 }).toBeLessThanOrEqual(8);
    const after = await facts();
    console.log({ outcomes, fresh, warm, after, upstream: upstream.connections() });
    expect(Object.keys(outcomes).filter((outcome) => /another digest/.test(outcome))).toEqual([]);
    expect(outcomes['200']).toBeGreaterThan(50);
    expect(upstream.connections()).toBeLessThanOrEqual(8);
    expect(after.megabytes - warm.megabytes).toBeLessThan(15);
    for (const name of names) {
      // The last request of another client may still be in flight, to an upstream that stalls.
      const again = () => outcomeOf(ask(targets[name], proxy.port, goodLogin, 90_000));
      await expect.poll(again, { timeout: 150_000, interval: 1_000 }).toBe('200');
    }
  } finally {
    inspector.close();
    await proxy.stop();
    await upstream.stop();
  }
});
