import { base64url } from 'jose';
import { ConversionError, excerpt } from '../errors.ts';

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
