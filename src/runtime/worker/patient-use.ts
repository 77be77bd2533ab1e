import { systemClock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { waitFor } from '../../concurrency/deadline.ts';
import type { Log } from '../../observability/log.ts';
import type { Budget } from '../../request/budget.ts';

/** The longest wait for one answer of a cache, in milliseconds. */
const answerMs = 3_000;

/** The rest after an answer that did not come in time. */
const restMs = 5_000;

/** Asks a cache. @returns undefined if it fails, is late, or rests. */
export type PatientUse = <T>(work: () => Promise<T>, budget: Budget | undefined) => Promise<T | undefined>;

/**
 * One kind of use of a cache of Cloudflare, which has no time limits of its own. A use that fails or is late never fails
 * its request. After a late one, the kind rests: a use that hangs holds one of the six connections of its request
 * (Cloudflare, "Limits", Simultaneous open connections).
 * @param message the line in the log.
 * @param background keeps late work alive. Without it, late work is lost.
 */
export function createPatientUse(message: string, log: Log, background?: Background): PatientUse {
  let restsUntil = Number.NEGATIVE_INFINITY;
  const late = () => {
    restsUntil = systemClock() + restMs;
    return new Error(`no answer in ${answerMs / 1000} s`);
  };
  return async (work, budget) => {
    if (systemClock() < restsUntil) return undefined;
    budget?.spend();
    try {
      const running = work();
      background?.(running.catch(() => undefined));
      return await waitFor(running, undefined, { milliseconds: answerMs, late });
    } catch (error) {
      log('warn', message, { reason: String(error) });
      return undefined;
    }
  };
}
