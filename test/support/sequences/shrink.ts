import type { Sequence } from './run.ts';
import type { SequenceSettings } from './settings.ts';

const plainest: SequenceSettings = {
  pushFormat: 'asis',
  store: 'none',
  ttl: '0',
  replicas: 1,
  redis: false,
  byPath: false,
  schema1: true,
  twins: false,
};

/**
 * Makes a failing sequence short: without steps that the failure does not need, from halves to single ones, and with
 * plain settings.
 * @param failure runs a sequence and returns its failure, which need not be the same one.
 * @param end the time by `performance.now()` at which the shortest sequence so far is good enough.
 */
export async function shrunk(
  first: Sequence & { readonly message: string },
  failure: (sequence: Sequence) => Promise<string | undefined>,
  end: number,
): Promise<Sequence & { readonly message: string }> {
  let best = first;
  const replaces = async (sequence: Sequence) => {
    const message = performance.now() < end ? await failure(sequence) : undefined;
    if (message !== undefined) best = { ...sequence, message };
    return message !== undefined;
  };
  for (let length = best.steps.length >> 1; length > 0; length >>= 1) {
    // Later steps need the content of earlier ones, so they go first.
    for (let at = best.steps.length - length; at >= 0; at -= length)
      await replaces({ ...best, steps: best.steps.toSpliced(at, length) });
  }
  for (const each of Object.keys(plainest) as (keyof SequenceSettings)[]) {
    if (best.settings[each] === plainest[each]) continue;
    await replaces({ ...best, settings: { ...best.settings, [each]: plainest[each] } });
  }
  return best;
}
