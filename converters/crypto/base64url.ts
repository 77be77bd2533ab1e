import { base64url } from 'jose';
import { ConversionError, excerpt } from '../errors.ts';

const alphabet = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** The two characters of each 12 bits, in the order of bytes that this machine has. */
const pairs = new Uint16Array(Uint8Array.from({ length: 8192 }, pairCharacter).buffer);

function pairCharacter(_: unknown, index: number): number {
  const bits = index >> 1;
  return alphabet[index % 2 === 0 ? bits >> 6 : bits & 63] ?? 0;
}

/** Base64url without padding, as ASCII bytes: of long content many times faster than by way of a string. */
export function base64urlBytes(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint16Array(Math.ceil(bytes.length / 3) * 2);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    encoded[at++] = pairs[group >> 12] ?? 0;
    encoded[at++] = pairs[group & 4095] ?? 0;
  }
  // The last group may have two or three characters.
  return new Uint8Array(encoded.buffer, 0, Math.ceil((bytes.length * 4) / 3));
}

/**
 * Base64url as libtrust writes it: without padding (RFC 7515, section 2).
 * @param what it is, for the message.
 * @throws ConversionError SIGNATURE.
 */
export function decodeBase64url(text: string, what: string): Uint8Array {
  if (/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1) return base64url.decode(text);
  throw new ConversionError({
    code: 'SIGNATURE',
    message: `The ${what} of a signature is not base64url`,
    dialect: 'schema1',
    found: excerpt(text),
    expected: 'base64url without padding (RFC 7515, section 2)',
  });
}
