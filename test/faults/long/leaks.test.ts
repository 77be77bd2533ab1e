import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Random } from '../../fuzz/random.ts';
import { factsOfProcess } from '../../support/faults/process-facts.ts';
import { mixedRequest, type Named, type Outcomes } from '../../support/mixed/requests.ts';
import { startMixedUpstream } from '../../support/mixed/upstream.ts';
import { startNodeProcess } from '../../support/node-process.ts';
import { type Held, inspectable, inspectProcess } from '../../support/process-inspector.ts';

const workers = 16;

/** The connection of the inspector. */
const keptConnections = 1;

/**
 * Milliseconds. A connection that was idle for 5 seconds is closed, to a client and to upstream, which is a Node server,
 * too: a leaked descriptor still exists after this time.
 */
const longerThanKept = 15_000;

/**
 * Milliseconds. The proxy's deadlines for a ping, a token and a response are 8, 10 and 30 seconds: a timer that
 * outlasts its request still exists after this time.
 */
const shorterThanDeadlines = 6_000;

/**
 * Bytes of growth between 10,000 and 20,000 requests: 256 per request. A leaked promise, timer or buffer is larger with
 * all that it references; the bounded memory for misses and logins grows less.
 */
const mostGrowth = 256 * 10_000;

it('20,000 mixed requests with aborts leave nothing behind: no heap, no descriptor, no timer', async () => {
  const random = new Random(Number(process.env.FLAT_SEED ?? 5));
  const upstream = await startMixedUpstream(random);
  const written: string[] = [];
  const proxy = await startNodeProcess(
    {
      REGSHIFT_UPSTREAM: upstream.url,
      REGSHIFT_TAG_TTL: '1',
      REGSHIFT_STALE: '0',
      // All bounded memory is full before the first measurement.
      REGSHIFT_CACHE_BYTES: '4000000',
      ...inspectable,
    },
    25,
    (text) => written.push(text),
  );
  const inspector = await inspectProcess(written.join(''));
  const named: Named = new Map();
  const outcomes: Outcomes = {};
  let done = 0;
  const run = async (until: number) => {
    const work = async () => {
      while (done < until) {
        const requests = await mixedRequest(random, proxy, named, outcomes);
        done += requests;
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
  };
  /** Measures once the abandoned work of disconnected clients has ended. */
  const settled = async (idle: Held, descriptors: number) => {
    const timers = async () =>
      ((await inspector.held()).resources.Timeout ?? 0) - (idle.resources.Timeout ?? 0);
    await expect.poll(timers, { timeout: shorterThanDeadlines, interval: 500 }).toBeLessThanOrEqual(0);
    const more = () => factsOfProcess(proxy.pid).descriptors - descriptors;
    await expect.poll(more, { timeout: longerThanKept, interval: 500 }).toBeLessThanOrEqual(keptConnections);
    await sleep(1_000);
    return { ...factsOfProcess(proxy.pid), ...(await inspector.held()) };
  };
  try {
    const idle = await inspector.held();
    const descriptors = factsOfProcess(proxy.pid).descriptors;
    await run(5_000);
    const warm = await settled(idle, descriptors);
    await run(10_000);
    const half = await settled(idle, descriptors);
    await run(20_000);
    const end = await settled(idle, descriptors);
    console.log({ outcomes, descriptors, idle, warm, half, end, done });
    expect(outcomes['200']).toBeGreaterThan(4_000);
    for (const outcome of ['206', '401', '404', 'left']) expect(outcomes[outcome]).toBeGreaterThan(200);
    for (const now of [warm, half, end]) {
      expect(now.descriptors - descriptors).toBeLessThanOrEqual(keptConnections);
      expect(now.resources.Timeout ?? 0).toBeLessThanOrEqual(idle.resources.Timeout ?? 0);
    }
    expect(end.heap - half.heap).toBeLessThan(mostGrowth);
  } finally {
    inspector.close();
    await proxy.stop();
    await upstream.stop();
  }
});
