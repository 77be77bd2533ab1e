import { createFairQueue } from './fair-queue.ts';

/** Lets a few pieces of work run at a time; owners take turns. */
export interface FairSemaphore {
  /**
   * Waits until a place is free.
   * @param owner path in a `FairQueue`.
   * @returns a function that frees the place; further calls do nothing.
   * @throws the signal's reason.
   */
  acquire(owner: readonly string[], signal: AbortSignal): Promise<() => void>;
}

export function createFairSemaphore(limit: number): FairSemaphore {
  const line = createFairQueue<() => void>();
  let running = 0;

  function admit(): void {
    while (running < limit && line.size > 0) {
      running += 1;
      line.shift()?.();
    }
  }

  function placeOf(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      running -= 1;
      admit();
    };
  }

  return {
    async acquire(owner, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const entry = line.push(owner, resolve);
      const leave = () => {
        if (entry.leave()) reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      admit();
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
      return placeOf();
    },
  };
}
