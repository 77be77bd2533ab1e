import { createFairQueue } from './fair-queue.ts';

/** A semaphore whose waiting owners take turns. */
export interface FairSemaphore {
  /**
   * Waits for a slot.
   * @param owner path in a `FairQueue`.
   * @returns a function that frees the slot; further calls do nothing.
   * @throws the signal's reason.
   */
  acquire(owner: readonly string[], signal: AbortSignal): Promise<() => void>;
}

export function createFairSemaphore(limit: number): FairSemaphore {
  const queue = createFairQueue<() => void>();
  let running = 0;

  function admit(): void {
    while (running < limit && queue.size > 0) {
      running += 1;
      queue.shift()?.();
    }
  }

  function releaseOnce(): () => void {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      running -= 1;
      admit();
    };
  }

  return {
    async acquire(owner, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const entry = queue.push(owner, resolve);
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
      return releaseOnce();
    },
  };
}
