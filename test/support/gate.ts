/** A gate that holds calls until it is opened, and counts those that wait. */
export interface Gate {
  readonly waiting: number;
  pass(): Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    async pass() {
      waiting += 1;
      await promise;
      waiting -= 1;
    },
    open: resolve,
  };
}
