import type { Clock } from '../clock.ts';
import { isSpent } from '../errors.ts';
import type { Background } from './background.ts';

/** Connects shared work with the requests that wait for it. */
export interface SharedRun {
  /** False once no request waits. The work polls it, because on Workers one request cannot abort the fetch of another. */
  readonly isWanted: () => boolean;
  /** Reports progress. */
  readonly touch: () => void;
}

export interface SharedWork<Value> {
  /** Waits for the running work of the key, or starts it. The signal ends only the wait of its caller. */
  join(
    key: string,
    signal: AbortSignal | undefined,
    start: (run: SharedRun) => Promise<Value>,
  ): Promise<Value>;
}

export interface SharedWorkOptions {
  /** Requests that joined work stop waiting for it after this long without `touch`, in milliseconds. */
  readonly staleMs: number;
  readonly clock: Clock;
  readonly background: Background;
}

interface Shared<Value> {
  readonly result: Promise<Value>;
  touched: number;
  waiting: number;
}

const checkMs = 1_000;
const stale = Symbol('stale');

/**
 * Work that all requests for the same key share, and that ends when the last of them leaves. (Work in
 * `createSingleFlight` goes on by default.) On Workers the work of a cancelled request never settles; then the next
 * request does the work again.
 */
export function createSharedWork<Value>(options: SharedWorkOptions): SharedWork<Value> {
  const { staleMs, clock, background } = options;
  const running = new Map<string, Shared<Value>>();

  function drop(key: string, work: Shared<Value>): void {
    if (running.get(key) === work) running.delete(key);
  }

  function begin(key: string, start: (run: SharedRun) => Promise<Value>): Shared<Value> {
    const { promise, resolve } = Promise.withResolvers<Value>();
    const work: Shared<Value> = { result: promise, touched: clock(), waiting: 0 };
    running.set(key, work);
    const isWanted = () => work.waiting > 0;
    const touch = () => {
      work.touched = clock();
    };
    // The work starts one microtask later, after the first request is counted as waiting.
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
    const joined = running.get(key);
    const work = joined ?? begin(key, start);
    work.waiting += 1;
    try {
      // The request that started the work always waits for it: the steps of the work have deadlines.
      const isAlive = () => joined === undefined || clock() - work.touched <= staleMs;
      const result = await waitWhile(work.result, signal, isAlive);
      if (result !== stale) return result;
    } catch (error) {
      // Only the request that started the work has spent its budget. This request runs the work itself.
      if (joined === undefined || !isSpent(error)) throw error;
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
  }, checkMs);
  try {
    return await Promise.race([result, end]);
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', onAbort);
  }
}
