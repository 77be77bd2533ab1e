import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { slowFaults } from '../../support/faults/faults.ts';
import { goodLogin, startHostileUpstream } from '../../support/faults/hostile-upstream.ts';
import { ask, outcomeOf, type TargetName, targets } from '../../support/faults/targets.ts';
import { startProxy } from '../../support/proxy.ts';

type SlowFault = keyof typeof slowFaults;
/** What the client is told, and within how many seconds, on a machine that is quick enough. */
type Told = Partial<Record<TargetName, readonly [string, number]>> & {
  readonly else: readonly [string, number];
};

const atOnce = ['200', 2] as const;
/** The headers of an upstream have 30 seconds, its document as many again. */
const late = ['504 UNKNOWN', 30] as const;
const ofToken = ['504 UNKNOWN', 10] as const;
/** A layer may be read for longer: the client is told to pull again (REGSHIFT_MEASURE_DEADLINE). */
const pullAgain = ['404 UNSUPPORTED', 45] as const;
const bodyless = { 'the HEAD of a manifest': atOnce, 'a ping': atOnce };
const stalls: Told = {
  ...bodyless,
  else: late,
  'a token': ofToken,
  'a layer to be read': pullAgain,
  'a blob': ['cut', 120],
};

const told: Readonly<Record<SlowFault, Told>> = {
  'never answers': { else: late, 'a token': ofToken, 'a ping': ['504 UNKNOWN', 8] },
  'stalls in a body of known length': stalls,
  'stalls in a body in chunks': stalls,
  'stalls in the body of a 404': {
    else: ['404 MANIFEST_UNKNOWN', 3],
    'the HEAD of a manifest': ['404 MANIFEST_UNKNOWN', 2],
    'a config': ['404 UNSUPPORTED', 3],
    'a layer to be read': ['404 UNSUPPORTED', 3],
    'a list of tags': ['404 NAME_UNKNOWN', 3],
    'a ping': ['404 NAME_UNKNOWN', 3],
    'a token': ['502 UNKNOWN', 2],
    // It is looked for among what other replicas may have made.
    'a blob': ['404 BLOB_UNKNOWN', 30],
  },
  'never ends a body': {
    ...bodyless,
    else: ['502 MANIFEST_INVALID', 3],
    'a token': ['502 UNKNOWN', 3],
  },
  'drips a body, a byte a second': { ...stalls, 'a list of tags': late },
};

/** On a busy machine all this runs at once, and is late. */
const tolerance = 20;

const cases = (Object.keys(slowFaults) as SlowFault[]).flatMap((fault) =>
  (Object.keys(targets) as TargetName[])
    .filter((target) => target !== 'a blob' || !/never ends|drips/.test(fault))
    .filter((target) => target !== 'a layer to be read' || !fault.startsWith('drips'))
    .map((target) => ({ fault, target })),
);

it.concurrent.for(cases)(
  'an upstream that $fault, asked for $target',
  async ({ fault, target: name }, { expect }) => {
    const target = targets[name];
    const upstream = await startHostileUpstream(target.wants);
    const proxy = await startProxy(upstream.url);
    try {
      upstream.misbehave(slowFaults[fault], target.isMeant);
      const started = performance.now();
      const outcome = await outcomeOf(ask(target, proxy.port, goodLogin, 200_000));
      const seconds = (performance.now() - started) / 1000;
      const [expected, within] = told[fault][name] ?? told[fault].else;
      expect(outcome).toBe(expected);
      expect(seconds).toBeLessThan(within + tolerance);
      upstream.recover();
      // A layer may still be being read for who comes next, until it is given up: then it is read anew.
      const again = () => outcomeOf(ask(target, proxy.port, goodLogin, 200_000));
      await expect.poll(again, { timeout: 150_000, interval: 2_000 }).toBe('200');
      await sleep(1_000);
      // One is kept for the next request: nothing hangs on a connection of its own any more.
      expect(upstream.connections()).toBeLessThanOrEqual(1);
    } finally {
      await Promise.all([proxy.stop(), upstream.stop()]);
    }
  },
);
