import { ConversionError } from './errors.ts';

/**
 * For callers in JavaScript: whatever they give, or their ports do, what they get is a ConversionError.
 * @throws ConversionError UNREADABLE for what is no Uint8Array.
 */
export function checkIsBytes(bytes: unknown, what: string): void {
  // Not by instanceof: there are realms, as of test runners, whose Uint8Array is another.
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
