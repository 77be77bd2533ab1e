import { ConversionError } from '../../converters/errors.ts';
import { hasCode, isSpent } from '../errors.ts';

/** Whether an error is a lasting one of one image; others are temporary, or due to the request's rights or budget. */
export function isFaultOfImage(error: unknown): error is Error {
  if (error instanceof ConversionError) return true;
  const isLasting = hasCode(error, 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'UPSTREAM_CONTENT', 'UNSIGNED');
  return isLasting && !isSpent(error);
}
