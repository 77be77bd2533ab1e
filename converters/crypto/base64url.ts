import { base64url } from 'jose';
import { ConversionError, excerpt } from '../errors.ts';

const alphabet = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** The two characters for each value of 12 bits, as 16-bit units in the byte order of the machine. */
const pairs = new Uint16Array(Uint8Array.from({ length: 8192 }, pairCharacter).buffer);

function pairCharacter(_: unknown, index: number): number {
  const bits = index >> 1;
  return alphabet[index % 2 === 0 ? bits >> 6 : bits & 63] ?? 0;
}

/** Encodes base64url without padding, as ASCII bytes. For long content this is many times faster than a string. */
export function base64urlBytes(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint16Array(Math.ceil(bytes.length / 3) * 2);
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    encoded[at++] = pairs[group >> 12] ?? 0;
    encoded[at++] = pairs[group & 4095] ?? 0;
  }
  // A last group of one or two bytes has two or three characters.
  return new Uint8Array(encoded.buffer, 0, Math.ceil((bytes.length * 4) / 3));
}

/**
 * Decodes base64url without padding (RFC 7515, section 2), as libtrust writes it.
 * @param what the text is, for the message.
 * @throws ConversionError SIGNATURE when the text is not base64url.
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
