import { ConversionError } from './errors.ts';

/**
 * Checks an argument, or the result of a port, of a caller in JavaScript, whose types no compiler checks.
 * @param what the bytes are, for the message.
 * @throws ConversionError UNREADABLE when `bytes` is not a Uint8Array.
 */
export function checkIsBytes(bytes: unknown, what: string): void {
  // instanceof fails for a Uint8Array of another realm, such as a test runner's.
  if (Object.prototype.toString.call(bytes) === '[object Uint8Array]') return;
  throw new ConversionError({
    code: 'UNREADABLE',
    message: `A ${what} is read from its bytes`,
    found: bytes === null ? 'null' : typeof bytes,
    expected: 'a Uint8Array',
  });
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
