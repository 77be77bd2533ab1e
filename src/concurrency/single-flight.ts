import { isSpent } from '../budget.ts';
import { speaksOfCaller } from '../errors.ts';
import type { Background } from './background.ts';
import { isDeadline, waitFor, withDeadline } from './deadline.ts';

export interface Work<T> {
  readonly key: string;
  /** With whose right it is done: an error that speaks of that right is no one else's. Absent where the key says it. */
  readonly whose?: string;
  /** Called only when no work is under way for the key. */
  readonly start: () => Promise<T>;
  /** What is thrown when the work outlasts the deadline. */
  readonly late: () => Error;
}

interface Flight<T> {
  readonly whose: string | undefined;
  readonly result: Promise<T>;
}

export interface SingleFlight<T> {
  /**
   * Waits for the work under way, or starts it. A signal ends the wait of its caller only: others wait too, and the
   * next one will want the result.
   */
  join(work: Work<T>, signal: AbortSignal | undefined): Promise<T>;
}

/**
 * One piece of work at a time for a key. Each caller waits with a deadline of its own, though the work has one too:
 * on Workers a request that ends takes its fetch with it, and a promise that others hold then never settles.
 * @param background keeps the work from ending with the request of whoever began it.
 */
export function createSingleFlight<T>(deadlineMs: number, background: Background): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function land(key: string, flight: Flight<T>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  function takeOff({ key, whose, start }: Work<T>): Flight<T> {
    const flight: Flight<T> = { whose, result: start().finally(() => land(key, flight)) };
    // Whoever waits sees the error; when no one does any more, it is nobody's.
    background(flight.result.catch(() => undefined));
    flights.set(key, flight);
    return flight;
  }

  async function ride(work: Work<T>, signal: AbortSignal): Promise<T> {
    const running = flights.get(work.key);
    const flight = running ?? takeOff(work);
    try {
      return await waitFor(flight.result, signal);
    } catch (error) {
      if (isDeadline(signal)) {
        land(work.key, flight);
        throw work.late();
      }
      // What whoever began it may ask is spent, or it is refused to that one: this caller asks for itself.
      const refused = running?.whose !== work.whose && speaksOfCaller(error);
      if (running && (isSpent(error) || refused)) return ride(work, signal);
      throw error;
    }
  }

  return { join: (work, signal) => withDeadline(deadlineMs, signal, (ownSignal) => ride(work, ownSignal)) };
}
