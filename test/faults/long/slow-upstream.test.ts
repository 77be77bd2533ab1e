import { it } from 'vitest';
import { slowFaults } from '../../support/faults/faults.ts';
import { goodLogin, startHostileUpstream } from '../../support/faults/hostile-upstream.ts';
import { ask, outcomeOf, type TargetName, targets } from '../../support/faults/targets.ts';
import { startProxy } from '../../support/proxy.ts';

type SlowFault = keyof typeof slowFaults;
/** The outcome for the client, and the seconds within which it comes on a fast machine. */
type Expected = Partial<Record<TargetName, readonly [string, number]>> & {
  readonly else: readonly [string, number];
};

const atOnce = ['200', 2] as const;
/** The headers of upstream have REGSHIFT_UPSTREAM_TIMEOUT, and its document the same once more. */
const late = ['504 UNKNOWN', 30] as const;
/** The reading of a layer may take longer: the client gets an error that says to pull again (REGSHIFT_MEASURE_DEADLINE). */
const pullAgain = ['404 UNSUPPORTED', 45] as const;
const bodyless = { 'the HEAD of a manifest': atOnce, 'a ping': atOnce };
const stalls: Expected = {
  ...bodyless,
  else: late,
  'a layer to be read': pullAgain,
};

const outcomes: Readonly<Record<SlowFault, Expected>> = {
  'never answers': { else: late },
  'stalls in a body of known length': stalls,
  'stalls in a body in chunks': stalls,
  'stalls in the body of a 404': {
    else: ['404 MANIFEST_UNKNOWN', 3],
    // A refused HEAD is confirmed by GET, which this registry answers.
    'the HEAD of a manifest': ['200', 2],
    'a config': ['404 UNSUPPORTED', 3],
    'a layer to be read': ['404 UNSUPPORTED', 3],
    'a list of tags': ['404 NAME_UNKNOWN', 3],
    'a ping': ['404 NAME_UNKNOWN', 3],
    'a token': ['502 UNKNOWN', 2],
    // It is searched among the content that other replicas may have derived.
    'a blob': ['404 BLOB_UNKNOWN', 30],
  },
  'never ends a body': {
    ...bodyless,
    else: ['502 MANIFEST_INVALID', 3],
    'a token': ['502 UNKNOWN', 3],
  },
  'drips a body, a byte a second': { ...stalls, 'a list of tags': late },
};

/** Seconds of delay on a busy machine, where all tests run at once. */
const tolerance = 20;

const cases = (Object.keys(slowFaults) as SlowFault[]).flatMap((fault) =>
  (Object.keys(targets) as TargetName[])
    // A blob stands still for ten minutes: client-wire.test.ts and fetch.test.ts have shorter times.
    .filter((target) => target !== 'a blob' || fault.endsWith('404'))
    .filter((target) => target !== 'a layer to be read' || !fault.startsWith('drips'))
    .map((target) => ({ fault, target })),
);

it.concurrent.for(cases)(
  'an upstream that $fault for $target',
  async ({ fault, target: name }, { expect }) => {
    const target = targets[name];
    const upstream = await startHostileUpstream(target.wants);
    const proxy = await startProxy(upstream.url, { REGSHIFT_UPSTREAM_TIMEOUT: '30' });
    try {
      upstream.misbehave(slowFaults[fault], target.isMeant);
      const started = performance.now();
      const outcome = await outcomeOf(ask(target, proxy.port, goodLogin, 200_000));
      const seconds = (performance.now() - started) / 1000;
      const [expected, within] = outcomes[fault][name] ?? outcomes[fault].else;
      expect(outcome).toBe(expected);
      expect(seconds).toBeLessThan(within + tolerance);
      upstream.recover();
      // The stalled reading of a layer ends only at its deadline: after that the layer is read again.
      const again = () => outcomeOf(ask(target, proxy.port, goodLogin, 200_000));
      await expect.poll(again, { timeout: 150_000, interval: 2_000 }).toBe('200');
      // Kept connections are closed after 5 idle seconds, and all others were closed before.
      await expect.poll(() => upstream.connections(), { timeout: 15_000, interval: 500 }).toBe(0);
    } finally {
      await Promise.all([proxy.stop(), upstream.stop()]);
    }
  },
);
