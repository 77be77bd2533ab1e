import { LRUCache } from 'lru-cache';
import { waitFor } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';

/**
 * The last bytes of decompressed layers: they are dear, for the whole layer is decompressed for them. A tail is kept
 * for a while, and requests for the same one share one decompression. Callers prove their rights before.
 */
export interface Tails {
  /**
   * @param key names the content, and nothing of the caller.
   * @param read decompresses with the caller's own right. Others may wait for the result too, so that only its
   *   signal ends it. `waitedMs` is the time that the caller has already waited for memory in another one's name.
   * @throws as `read` of this caller does; the signal's reason.
   */
  get(key: string, read: ReadTail, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

export type ReadTail = (signal: AbortSignal, waitedMs: number) => Promise<Uint8Array>;

interface Flight {
  readonly bytes: Promise<Uint8Array>;
  readonly abandoned: AbortController;
  waiting: number;
}

/** @param mostBytes of all tails that are kept. */
export function createTails(mostBytes: number): Tails {
  const kept = new LRUCache<string, Uint8Array>({
    maxSize: mostBytes,
    sizeCalculation: ({ length }, key) => length + key.length,
  });
  const flights = new Map<string, Flight>();

  function land(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  function takeOff(key: string, read: ReadTail, waitedMs: number): Flight {
    const abandoned = new AbortController();
    const flight = { bytes: read(abandoned.signal, waitedMs), abandoned, waiting: 0 };
    flights.set(key, flight);
    flight.bytes
      .then((bytes) => kept.set(key, bytes))
      .catch(() => undefined)
      .finally(() => land(key, flight));
    return flight;
  }

  async function wait(key: string, flight: Flight, signal: AbortSignal | undefined): Promise<Uint8Array> {
    flight.waiting += 1;
    try {
      return await (signal === undefined ? flight.bytes : waitFor(flight.bytes, signal));
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        land(key, flight);
        flight.abandoned.abort();
      }
    }
  }

  return {
    async get(key, read, signal) {
      const known = kept.get(key);
      if (known) return known;
      const running = flights.get(key);
      const since = performance.now();
      try {
        return await wait(key, running ?? takeOff(key, read, 0), signal);
      } catch (error) {
        if (running === undefined || signal?.aborted) throw error;
        // The failure is that of another caller. Of the time in line alone, each caller gets no more than its own.
        const isLate = error instanceof RegistryError && error.code === 'OVERLOADED';
        return wait(key, takeOff(key, read, isLate ? performance.now() - since : 0), signal);
      }
    },
  };
}
