import type { Background } from './background.ts';
import { waitFor, withDeadline } from './deadline.ts';

const usualPatienceMs = 30_000;

/**
 * Does one piece of work after the other for a key; what came first is done first. What is not done within
 * `patienceMs` is waited for no longer: on Workers the work of a request that is cut off never ends.
 * @param background lets work whose client leaves come to its end, by its signal mostly, and whoever is next begin.
 */
export class Serial {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #background: Background;
  readonly #patienceMs: number;

  constructor(background: Background, patienceMs = usualPatienceMs) {
    this.#background = background;
    this.#patienceMs = patienceMs;
  }

  async run<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const mine = this.#after(this.#last.get(key), work);
    this.#last.set(key, mine);
    this.#background(mine.catch(() => undefined));
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
