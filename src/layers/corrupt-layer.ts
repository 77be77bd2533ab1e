import { RegistryError } from '../errors.ts';

/** What is wrong with a layer, for whoever wants another answer for one of them than for the rest. */
export type LayerFault =
  | 'cut-short'
  | 'not-readable'
  | 'window'
  | 'too-large'
  | 'bomb'
  | 'mismatch'
  | 'claim';

/**
 * @param what how a message calls it, like `layer sha256:…`.
 * @param problem the rest of the sentence, and what to do.
 */
export function corruptLayer(
  fault: LayerFault,
  what: string,
  problem: string,
  cause?: unknown,
): RegistryError {
  return new RegistryError('UPSTREAM_CONTENT', `Upstream's ${what} ${problem}`, { cause, detail: { fault } });
}
