/** Memory that is lent in parts. */
export interface WindowBudget {
  /**
   * Waits in line until there are `bytes`, and takes them. Whoever holds a part must give it back before asking for
   * another: two that wait for each other's memory would wait for ever.
   * @returns what gives them back.
   * @throws the signal's reason.
   */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
}

/** @param total of which a single part may be the whole; more is never lent. */
export function createWindowBudget(total: number): WindowBudget {
  let free = total;
  const line: { readonly bytes: number; readonly begin: () => void }[] = [];

  /** First come, first served: a large window must not starve behind small ones. */
  function serve(): void {
    for (let next = line[0]; next !== undefined && next.bytes <= free; next = line[0]) {
      line.shift();
      free -= next.bytes;
      next.begin();
    }
  }

  return {
    async take(bytes, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const place = { bytes: Math.min(bytes, total), begin: resolve };
      const leave = () => {
        const index = line.indexOf(place);
        if (index < 0) return;
        line.splice(index, 1);
        reject(signal.reason);
        serve();
      };
      signal.addEventListener('abort', leave, { once: true });
      line.push(place);
      serve();
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
      return () => {
        free += place.bytes;
        place.bytes = 0;
        serve();
      };
    },
  };
}
