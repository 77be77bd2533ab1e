import { ConversionError } from './errors.ts';

/**
 * Bytes that requests, responses and blobs take: TypeScript 5.7 and newer, which know what memory an array is of, call them
 * `Uint8Array<ArrayBuffer>`. Older ones have no such name.
 */
export type Bytes = ReturnType<typeof Uint8Array.of>;

/**
 * Checks an argument, or the result of a port, of a caller in JavaScript, whose types no compiler checks.
 * @param what the bytes are, for the message.
 * @throws ConversionError UNREADABLE when `bytes` is not a Uint8Array, or its memory is shared by threads.
 */
export function checkIsBytes(bytes: unknown, what: string): asserts bytes is Bytes {
  // instanceof fails for a Uint8Array of another realm, such as a test runner's.
  if (tagOf(bytes) === 'Uint8Array' && tagOf((bytes as Uint8Array).buffer) === 'ArrayBuffer') return;
  throw new ConversionError({
    code: 'UNREADABLE',
    message: `The ${what} is read from its bytes`,
    found: bytes === null ? 'null' : typeof bytes,
    expected: 'a Uint8Array of an ArrayBuffer',
  });
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export function concatenate(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
