import { RegistryError } from '../../errors.ts';
import type { Side } from '../error-text.ts';

/** An error that names its side of a copy, for the advice to the user. An error that has one keeps it. */
export function errorOf(side: Side, error: unknown): unknown {
  if (!(error instanceof RegistryError) || error.detail?.side !== undefined) return error;
  const { code, message, headers, detail } = error;
  return new RegistryError(code, message, { headers, detail: { ...detail, side }, cause: error });
}
