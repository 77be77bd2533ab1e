const remembered = 4_000;

/** The events of a run, to explain a violation. */
export class Trace {
  #events: { readonly at: number; readonly about: string; readonly text: string }[] = [];
  readonly #begun = performance.now();

  /** @param about the repository, as `describe` names it. */
  note(about: string, text: string): void {
    this.#events.push({ at: performance.now(), about, text });
    if (this.#events.length > 2 * remembered) this.#events = this.#events.slice(-remembered);
  }

  /** The last events of a repository, and of all repositories. */
  last(about: string, count = 30): string {
    return this.#events
      .filter((each) => each.about === about || each.about === '')
      .slice(-count)
      .map(({ at, text }) => `${((at - this.#begun) / 1_000).toFixed(3)} ${text}`)
      .join('\n');
  }
}

export function aboutRepository(upstream: number, name: string): string {
  return `${upstream} ${name}`;
}
