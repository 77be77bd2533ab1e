import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Random } from '../../fuzz/random.ts';
import { contentFaults, quickFaults } from '../../support/faults/faults.ts';
import { goodLogin, startHostileUpstream } from '../../support/faults/hostile-upstream.ts';
import { factsOfProcess } from '../../support/faults/process-facts.ts';
import { ask, outcomeOf, type TargetName, targets } from '../../support/faults/targets.ts';
import { startNodeProcess } from '../../support/node-process.ts';

const seconds = Number(process.env.LOAD_SECONDS ?? 15);
const clients = 32;
/** Faults without 404 and wrong digests, which are cached as long as a good response. */
const faults = Object.entries(quickFaults).filter(([name]) => !/404|digest of|no connection/.test(name));
const names = (Object.keys(targets) as TargetName[]).filter((name) => targets[name].wants === 'nothing');

it(`${clients} clients at once for ${seconds} s get no wrong response, while a tenth of upstream's responses are faults`, async () => {
  const upstream = await startHostileUpstream();
  const proxy = await startNodeProcess({
    REGSHIFT_UPSTREAM: upstream.url,
    REGSHIFT_TAG_TTL: '1',
    REGSHIFT_STALE: '0',
  });
  const random = new Random(11);
  const outcomes: Record<string, number> = {};
  const good: number[] = [];
  upstream.misbehave(
    (asked) => {
      const [name, how] = random.one(faults);
      const spared = asked.request.url?.includes('/blobs/') && contentFaults.includes(name);
      return (spared ? quickFaults['answers 503'] : how)(asked);
    },
    () => random.oneIn(10),
  );
  const until = performance.now() + seconds * 1_000;
  const client = async () => {
    while (performance.now() < until) {
      const started = performance.now();
      const outcome = await outcomeOf(ask(targets[random.one(names)], proxy.port, goodLogin, 20_000));
      if (outcome === '200') good.push(performance.now() - started);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  try {
    const fresh = factsOfProcess(proxy.pid);
    const running = Promise.all(Array.from({ length: clients }, client));
    await sleep(seconds * 500);
    const half = factsOfProcess(proxy.pid);
    await running;
    const end = factsOfProcess(proxy.pid);
    good.sort((left, right) => left - right);
    const [p50, p99] = [0.5, 0.99].map((part) => Math.round(good[Math.floor(good.length * part)] ?? 0));
    console.log({ outcomes, goodPerSecond: Math.round(good.length / seconds), p50, p99, fresh, half, end });
    const wrong = Object.keys(outcomes).filter((outcome) => !/^(200|cut|[45]\d\d [A-Z_]+)$/.test(outcome));
    expect(wrong).toEqual([]);
    expect(Object.keys(outcomes)).not.toContain('500 INTERNAL');
    expect(good.length).toBeGreaterThan(seconds * 20);
    expect(p99).toBeLessThan(5_000);
    // Code and caches fill in the first half minute; after that memory must not grow.
    expect(end.megabytes - (seconds < 60 ? fresh : half).megabytes).toBeLessThan(seconds < 60 ? 200 : 30);
  } finally {
    await proxy.stop();
    await upstream.stop();
  }
});

it('requests beyond the limit get 503 with Retry-After, and all others succeed', async () => {
  const upstream = await startHostileUpstream();
  const proxy = await startNodeProcess({
    REGSHIFT_UPSTREAM: upstream.url,
    REGSHIFT_TAG_TTL: '0',
    REGSHIFT_MAX_REQUESTS: '4',
  });
  const random = new Random(3);
  const outcomes: Record<string, number> = {};
  try {
    const until = performance.now() + 3_000;
    const client = async () => {
      while (performance.now() < until) {
        const response = ask(targets[random.one(names)], proxy.port, goodLogin, 20_000);
        const outcome = await outcomeOf(response);
        if (outcome.startsWith('503')) expect((await response).header('Retry-After')).toMatch(/^\d+$/);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    console.log({ outcomes });
    expect(
      Object.keys(outcomes)
        .map((outcome) => outcome.slice(0, 3))
        .toSorted(),
    ).toEqual(['200', '503']);
    expect(outcomes['200']).toBeGreaterThan(100);
  } finally {
    await proxy.stop();
    await upstream.stop();
  }
});
