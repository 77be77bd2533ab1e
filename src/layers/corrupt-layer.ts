import { RegistryError } from '../errors.ts';

/** The kind of fault in a layer, for callers that handle one kind in a special way. */
export type LayerFault =
  | 'cut-short'
  | 'not-readable'
  | 'window'
  | 'too-large'
  | 'bomb'
  | 'mismatch'
  | 'claim';

/**
 * The error for a layer with wrong content.
 * @param what the layer's name in messages, like `layer sha256:…`.
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
