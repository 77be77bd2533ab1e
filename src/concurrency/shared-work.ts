import { isSpent } from '../errors.ts';
import type { Background } from './background.ts';

/** The ties between shared work and the requests that wait for it. */
export interface SharedRun {
  /** False once all that waited have left. Polled, because on Workers one request cannot abort another's fetch. */
  readonly isWanted: () => boolean;
  /** Tells that the work goes on. */
  readonly touch: () => void;
}

export interface SharedWork<Value> {
  /** Waits for the work under way for the key, or starts it. A signal ends the wait of its caller only. */
  join(
    key: string,
    signal: AbortSignal | undefined,
    start: (run: SharedRun) => Promise<Value>,
  ): Promise<Value>;
}

export interface SharedWorkOptions {
  /** Work that was not touched for so long is waited for no longer. */
  readonly staleMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
}

interface Shared<Value> {
  readonly result: Promise<Value>;
  touched: number;
  waiting: number;
}

const lookMs = 1_000;
const stale = Symbol('stale');

/**
 * Work that all who ask for the same thing share, and that ends when the last of them leaves. (`createSingleFlight`
 * lets it go on.) On Workers the work of a request that is cut off never settles; then the next one does it anew.
 */
export function createSharedWork<Value>(options: SharedWorkOptions): SharedWork<Value> {
  const { staleMs, clock, background } = options;
  const underWay = new Map<string, Shared<Value>>();

  function drop(key: string, work: Shared<Value>): void {
    if (underWay.get(key) === work) underWay.delete(key);
  }

  function begin(key: string, start: (run: SharedRun) => Promise<Value>): Shared<Value> {
    const { promise, resolve } = Promise.withResolvers<Value>();
    const work: Shared<Value> = { result: promise, touched: clock(), waiting: 0 };
    underWay.set(key, work);
    const isWanted = () => work.waiting > 0;
    const touch = () => {
      work.touched = clock();
    };
    // Those that wait see the error. It starts a moment later, when its first caller is counted.
    resolve(Promise.resolve().then(() => start({ isWanted, touch })));
    background(promise.catch(() => undefined).finally(() => drop(key, work)));
    promise.catch(() => undefined);
    return work;
  }

  async function join(
    key: string,
    signal: AbortSignal | undefined,
    start: (run: SharedRun) => Promise<Value>,
  ): Promise<Value> {
    const running = underWay.get(key);
    const work = running ?? begin(key, start);
    work.waiting += 1;
    try {
      // The request that began the work waits for it in any case: its steps have deadlines.
      const isAlive = () => running === undefined || clock() - work.touched <= staleMs;
      const result = await waitWhile(work.result, signal, isAlive);
      if (result !== stale) return result;
    } catch (error) {
      // The request that began it may ask no more: this one asks for itself.
      if (running === undefined || !isSpent(error)) throw error;
    } finally {
      work.waiting -= 1;
      if (work.waiting === 0) drop(key, work);
    }
    drop(key, work);
    return join(key, signal, start);
  }

  return { join };
}

async function waitWhile<Value>(
  result: Promise<Value>,
  signal: AbortSignal | undefined,
  isAlive: () => boolean,
): Promise<Value | typeof stale> {
  signal?.throwIfAborted();
  const { promise: end, resolve, reject } = Promise.withResolvers<typeof stale>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const watch = setInterval(() => {
    if (!isAlive()) resolve(stale);
  }, lookMs);
  try {
    return await Promise.race([result, end]);
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', onAbort);
  }
}
