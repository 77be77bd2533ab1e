import { setTimeout as sleep } from 'node:timers/promises';
import { rawRequest } from '../raw-http.ts';

interface Probe {
  readonly from: number;
  /** Undefined while there is no response. */
  to: number | undefined;
}

/** Milliseconds between two probes, and for which a response to a probe is no stall. */
const usual = 50;
/** Milliseconds for which probes are kept: longer than any request of a run. */
const keptFor = 120_000;

/**
 * Measures the stalls of the machine, of this process (clients, registries and oracle) and of the proxies. A fault, or a
 * response, acts later by the time of a stall, so the oracle extends its windows by measured stalls.
 */
export class Stalls {
  readonly #probes: Probe[] = [];

  /**
   * The length of a window before a request, extended by the stalls in it.
   * @param usualLength milliseconds without stalls. @param start of the request, as `end`, by `performance.now()`.
   */
  extend(usualLength: number, start: number, end: number): number {
    let length = usualLength;
    for (;;) {
      const longer = usualLength + this.#between(start - length, end);
      if (longer - length < 1) return longer;
      length = longer;
    }
  }

  /** Milliseconds of stalls between two moments. Those of several proxies count once each. */
  #between(start: number, end: number): number {
    return this.#probes
      .map(({ from, to = performance.now() }) => Math.min(to, end) - Math.max(from + usual, start))
      .reduce((sum, stalled) => sum + Math.max(0, stalled), 0);
  }

  /** Records a probe. @returns a function to call at its response. */
  begin(): () => void {
    const probe: Probe = { from: performance.now(), to: undefined };
    this.#probes.push(probe);
    return () => {
      probe.to = performance.now();
      const first = this.#probes[0]?.from ?? 0;
      // A probe without a stall says nothing.
      if (probe.to - probe.from <= usual) this.#probes.splice(this.#probes.indexOf(probe), 1);
      else if (first < probe.to - keptFor) this.#probes.shift();
    };
  }

  /** Probes the proxies until `signal` aborts: a proxy responds to this path without its registry. */
  async watch(ports: readonly number[], signal: AbortSignal): Promise<void> {
    const probe = async (port: number) => {
      while (!signal.aborted) {
        const ended = this.begin();
        await rawRequest({ port, method: 'GET', path: '/healthz', headers: [] }).catch(() => undefined);
        ended();
        await sleep(usual);
      }
    };
    await Promise.all(ports.map(probe));
  }
}
