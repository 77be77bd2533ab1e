import { ConversionError } from '../../converters/errors.ts';
import { type ErrorCode, isSpent, RegistryError } from '../errors.ts';

const lasting: ReadonlySet<ErrorCode> = new Set([
  'MANIFEST_UNKNOWN',
  'BLOB_UNKNOWN',
  'UPSTREAM_CONTENT',
  'UNSIGNED',
]);

/** Whether an error is a lasting one of one image; others are temporary, or due to the request's rights or budget. */
export function isFaultOfImage(error: unknown): error is Error {
  if (error instanceof ConversionError) return true;
  return error instanceof RegistryError && lasting.has(error.code) && !isSpent(error);
}

/** A search goes on after the fault of one image. @throws any other error. */
export function ignoreFaultOfImage(error: unknown): undefined {
  if (isFaultOfImage(error)) return undefined;
  throw error;
}
