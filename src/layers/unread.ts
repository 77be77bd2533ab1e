import { RegistryError } from '../errors.ts';

const unreadReason = 'LAYER_UNREAD';

/**
 * The error for content that is not cached, where the context allows no read. It is no ConversionError: otherwise an
 * index would be converted, and cached, without the image.
 * @param what like `layer sha256:…`.
 */
export function unread(what: string): never {
  throw new RegistryError('UNSUPPORTED', `The ${what} would have to be read first.`, {
    detail: { reason: unreadReason },
  });
}

/** Whether a conversion has failed because content is not cached and the context allows no read (`unread`). */
export function isNotReadYet(error: unknown): boolean {
  return error instanceof RegistryError && error.detail?.reason === unreadReason;
}
