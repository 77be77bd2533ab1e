import { systemClock } from '../clock.ts';
import { isCallerSpecific, isSpent } from '../errors.ts';
import type { Background } from './background.ts';
import { eitherSignal, isDeadline, type Patience, valueWithin, waitFor } from './deadline.ts';

export interface Work<T> {
  readonly key: string;
  /**
   * Key of the credential that the work uses: an error specific to it does not concern requests with other credentials.
   * Absent if `key` contains it.
   */
  readonly credential?: string;
  /**
   * Starts the work. Called only if no work of the key is running.
   * @param abandoned returns a signal that aborts when no request waits for the work any more. Work that never calls it
   *   goes on.
   */
  readonly start: (abandoned: () => AbortSignal) => Promise<T>;
  /**
   * Whether the result of work that another request started suits this one. If it does not, the request joins or starts
   * the next work. Absent if each result does.
   */
  readonly suits?: (result: T) => boolean;
  /** Makes the error for a request whose deadline ends before the work. */
  readonly late: () => Error;
}

interface Flight<T> {
  readonly credential: string | undefined;
  readonly result: Promise<T>;
  /** By the clock. */
  readonly began: number;
  /** Number of requests that wait for the result. */
  waiting: number;
  isSettled: boolean;
  /** Aborts the work if it uses its signal. Other work goes on, and the next request joins it. */
  readonly abandon: () => void;
}

export interface SingleFlight<T> {
  /**
   * Waits for the running work of the key, or starts it. The signal ends only the wait of its caller, because other
   * requests may wait too.
   * @throws the error of the work; `late()` after the deadline; the signal's reason.
   */
  join(work: Work<T>, signal: AbortSignal | undefined): Promise<T>;
}

/**
 * Age up to which work is joined, in milliseconds. Requests that have joined work which is older begin newer work beside
 * it: a connection that hangs, or work that Workers has ended, holds the request that began it alone.
 */
const joinableMs = 30_000;

/**
 * Runs one piece of work at a time for each key. Each caller has its own deadline, although the work has one too: on
 * Workers a request that ends cancels its fetch, and the promise that other requests wait for then never settles.
 * @param deadlineMs maximum wait of one caller, in milliseconds.
 * @param background keeps the work alive after the request that started it has ended.
 */
export function createSingleFlight<T>(deadlineMs: number, background: Background): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function remove(key: string, flight: Flight<T>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  function begin({ key, credential, start }: Work<T>): Flight<T> {
    let abandoned: AbortController | undefined;
    const signal = () => {
      abandoned ??= new AbortController();
      return abandoned.signal;
    };
    const result = start(signal);
    const abandon = () => {
      if (abandoned === undefined) return;
      // No request joins aborted work.
      remove(key, flight);
      abandoned.abort();
    };
    const began = systemClock();
    const flight: Flight<T> = { credential, result, began, waiting: 0, isSettled: false, abandon };
    const settle = () => {
      flight.isSettled = true;
      remove(key, flight);
    };
    flights.set(key, flight);
    // Waiting requests get the error. Without one, the error must not become an unhandled rejection.
    background(result.then(settle, settle));
    return flight;
  }

  function runningWork(key: string): Flight<T> | undefined {
    const flight = flights.get(key);
    return flight && systemClock() - flight.began < joinableMs ? flight : undefined;
  }

  async function waitForFlight(
    flight: Flight<T>,
    signal: AbortSignal | undefined,
    patience: Patience,
  ): Promise<T> {
    flight.waiting += 1;
    try {
      return await waitFor(flight.result, signal, patience);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0 && !flight.isSettled) flight.abandon();
    }
  }

  /** Waits for the work of another request, and once that is too old, for newer work as well. */
  async function waitBeside(
    flight: Flight<T>,
    signal: AbortSignal | undefined,
    patience: Patience,
    joinNewer: () => Promise<T>,
  ): Promise<T> {
    const left = new AbortController();
    const own = eitherSignal(signal, left.signal);
    const first = waitForFlight(flight, own, patience);
    try {
      const age = systemClock() - flight.began;
      const early = await valueWithin(
        joinableMs - age,
        first.then((value) => ({ value })),
      );
      return early ? early.value : await Promise.any([first, joinNewer()]);
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      left.abort();
    }
  }

  /** @param until the end of the caller's patience, by the clock. */
  async function joinFlight(work: Work<T>, signal: AbortSignal | undefined, until: number): Promise<T> {
    signal?.throwIfAborted();
    const milliseconds = until - systemClock();
    if (milliseconds <= 0) throw work.late();
    const running = runningWork(work.key);
    const flight = running ?? begin(work);
    let isLate = false;
    const late = () => {
      isLate = true;
      remove(work.key, flight);
      return work.late();
    };
    try {
      const patience = { milliseconds, late };
      const result = await (running === undefined
        ? waitForFlight(flight, signal, patience)
        : waitBeside(flight, signal, patience, () => joinFlight(work, signal, until)));
      const { suits, ...again } = work;
      // The next work starts after this request has come, so that its result suits.
      return running === undefined || suits?.(result) !== false
        ? result
        : await joinFlight(again, signal, until);
    } catch (error) {
      // A caller whose own deadline is shorter has waited in vain, too.
      if (signal && isDeadline(signal)) throw late();
      if (isLate) throw error;
      const isForeign =
        running !== undefined && running.credential !== work.credential && isCallerSpecific(error);
      if (running === undefined || !(isForeign || isSpent(error))) throw error;
      // The error concerns the credential or budget of the other request, not of this one. This request runs the work
      // under a key for its credential, so that requests do not wait for each other's refusals one after the other.
      return joinFlight({ ...work, key: `${work.key} ${work.credential ?? ''} alone` }, signal, until);
    }
  }

  return {
    join: (work, signal) => joinFlight(work, signal, systemClock() + deadlineMs),
  };
}
