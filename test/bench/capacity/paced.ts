import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../fuzz/random.ts';

/** A time from 0 to 1 that never is 1, so that its logarithm is finite. */
function fraction(random: Random): number {
  return random.below(2 ** 31) / 2 ** 31;
}

/** Returns the time until the next of events that come by chance (Poisson), in the unit of 1/`rate`. */
export function nextArrival(random: Random, rate: number): number {
  return -Math.log(1 - fraction(random)) / rate;
}

/**
 * Sends requests that come by chance, whether earlier ones have their responses or not, as machines of a site do.
 * @param perSecond the mean number of requests a second.
 */
export async function paced(
  count: number,
  perSecond: number,
  send: (number: number) => Promise<unknown>,
): Promise<void> {
  const random = new Random(count);
  const started = performance.now();
  const sent: Promise<unknown>[] = [];
  for (let number = 0, at = 0; number < count; number += 1) {
    at += nextArrival(random, perSecond / 1000);
    const wait = started + at - performance.now();
    if (wait > 1) await sleep(wait);
    sent.push(send(number));
  }
  await Promise.all(sent);
}
