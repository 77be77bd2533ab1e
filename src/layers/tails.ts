import type { MemoryBudget } from '../cache/memory-budget.ts';
import { type Clock, systemClock } from '../clock.ts';
import { waitFor } from '../concurrency/deadline.ts';
import { hasCode } from '../errors.ts';

/**
 * A cache of the last bytes of decompressed layers. A tail is expensive, because the whole layer is decompressed for it.
 * Requests for the same tail share one decompression. Callers check access rights before.
 */
export interface Tails {
  /**
   * Returns a tail from memory, or waits for its decompression.
   * @param key names the registry and the content; independent of the caller.
   * @param read decompresses the tail with the caller's access. Other callers may wait for the result too, so only the
   *   signal that `read` gets aborts it. `waitedMs` is the time for which the caller has already waited for memory as
   *   part of another caller's read.
   * @throws as this caller's `read`; the signal's reason.
   */
  get(key: string, read: ReadTail, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

export type ReadTail = (signal: AbortSignal, waitedMs: number) => Promise<Uint8Array>;

interface Flight {
  readonly bytes: Promise<Uint8Array>;
  readonly abandoned: AbortController;
  waiting: number;
}

export function createTails(memory: MemoryBudget, clock: Clock = systemClock): Tails {
  const cache = memory.table<Uint8Array>('layer-tails');
  const flights = new Map<string, Flight>();

  function forget(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  function startRead(key: string, read: ReadTail, waitedMs: number): Flight {
    const abandoned = new AbortController();
    const flight = { bytes: read(abandoned.signal, waitedMs), abandoned, waiting: 0 };
    flights.set(key, flight);
    flight.bytes
      .then((bytes) => cache.set(key, bytes))
      .catch(() => undefined)
      .finally(() => forget(key, flight));
    return flight;
  }

  async function wait(key: string, flight: Flight, signal: AbortSignal | undefined): Promise<Uint8Array> {
    flight.waiting += 1;
    try {
      return await waitFor(flight.bytes, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        forget(key, flight);
        flight.abandoned.abort();
      }
    }
  }

  return {
    async get(key, read, signal) {
      const known = cache.get(key);
      if (known) return known;
      const running = flights.get(key);
      const since = clock();
      try {
        return await wait(key, running ?? startRead(key, read, 0), signal);
      } catch (error) {
        if (running === undefined || signal?.aborted) throw error;
        // Another caller's read has failed, so this caller reads by itself. If it has waited in line for memory until
        // the deadline, that time counts for this caller too.
        const isLate = hasCode(error, 'OVERLOADED');
        return wait(key, startRead(key, read, isLate ? clock() - since : 0), signal);
      }
    },
  };
}
