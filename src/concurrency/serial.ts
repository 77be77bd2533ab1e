import { waitFor, withDeadline } from './deadline.ts';

const usualPatienceMs = 30_000;

/**
 * Does one piece of work after the other for a key; what came first is done first. What is not done within
 * `patienceMs` is waited for no longer: on Workers the work of a request whose client leaves never ends.
 */
export class Serial {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #patienceMs: number;

  constructor(patienceMs = usualPatienceMs) {
    this.#patienceMs = patienceMs;
  }

  async run<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const mine = this.#after(this.#last.get(key), work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  async #after<Value>(before: Promise<unknown> | undefined, work: () => Promise<Value>): Promise<Value> {
    // How the work before ended is for its own caller to know.
    if (before) {
      await withDeadline(this.#patienceMs, undefined, (signal) => waitFor(before, signal)).catch(
        () => undefined,
      );
    }
    return work();
  }
}
