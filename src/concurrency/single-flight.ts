import { isCallerSpecific, isSpent } from '../errors.ts';
import type { Background } from './background.ts';
import { isDeadline, waitFor, withDeadline } from './deadline.ts';

export interface Work<T> {
  readonly key: string;
  /** With whose right it is done: an error that speaks of that right is no one else's. Absent where the key says it. */
  readonly whose?: string;
  /**
   * Called only when no work is under way for the key.
   * @param abandoned makes the signal that aborts when every request that waited for the work has left.
   */
  readonly start: (abandoned: () => AbortSignal) => Promise<T>;
  /** What is thrown when the work outlasts the deadline. */
  readonly late: () => Error;
}

interface Flight<T> {
  readonly whose: string | undefined;
  readonly result: Promise<T>;
  /** Requests that wait for the result. */
  waiting: number;
  isSettled: boolean;
  /** Gives up work that has asked for its signal. Other work goes on: the next request joins it. */
  readonly abandon: () => void;
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
    let abandoned: AbortController | undefined;
    const signal = () => {
      abandoned ??= new AbortController();
      return abandoned.signal;
    };
    const settle = () => {
      flight.isSettled = true;
      land(key, flight);
    };
    const result = start(signal).finally(settle);
    const abandon = () => {
      if (abandoned === undefined) return;
      // Work that is being given up is not joined any more.
      land(key, flight);
      abandoned.abort();
    };
    const flight: Flight<T> = { whose, result, waiting: 0, isSettled: false, abandon };
    // The requests that wait see the error; without one, it is no request's.
    background(flight.result.catch(() => undefined));
    flights.set(key, flight);
    return flight;
  }

  async function waitIn(flight: Flight<T>, signal: AbortSignal): Promise<T> {
    flight.waiting += 1;
    try {
      return await waitFor(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0 && !flight.isSettled) flight.abandon();
    }
  }

  async function ride(work: Work<T>, signal: AbortSignal): Promise<T> {
    const running = flights.get(work.key);
    const flight = running ?? takeOff(work);
    try {
      return await waitIn(flight, signal);
    } catch (error) {
      if (isDeadline(signal)) {
        land(work.key, flight);
        throw work.late();
      }
      const isOthers = running !== undefined && running.whose !== work.whose && isCallerSpecific(error);
      if (running === undefined || !(isOthers || isSpent(error))) throw error;
      // The other request's right or means have failed, and not this one's: it goes on by itself, and no line forms
      // of requests that each wait for the refusal of the one before.
      return ride({ ...work, key: `${work.key} ${work.whose ?? ''} alone` }, signal);
    }
  }

  return { join: (work, signal) => withDeadline(deadlineMs, signal, (ownSignal) => ride(work, ownSignal)) };
}
