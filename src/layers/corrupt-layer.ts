import { Failure } from '../errors.ts';

/** What is wrong with a layer, for whoever wants another answer for one of them than for the rest. */
export type Fault = 'cut-short' | 'not-readable' | 'window' | 'too-large' | 'bomb' | 'mismatch' | 'claim';

/**
 * @param what how a message calls it, like `layer sha256:…`.
 * @param problem the rest of the sentence, and what to do.
 */
export function broken(fault: Fault, what: string, problem: string, cause?: unknown): Failure {
  return new Failure('UPSTREAM_CONTENT', `Upstream's ${what} ${problem}`, { cause, detail: { fault } });
}
