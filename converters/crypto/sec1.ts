import { concatenate } from '../bytes.ts';

/** `version 0, AlgorithmIdentifier { ecPublicKey, prime256v1 }`, in DER (RFC 5208 §5, RFC 5480 §2.1.1). */
const p256Prefix = Uint8Array.of(
  ...[0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
);

/**
 * WebCrypto reads PKCS#8 only: wraps the older form of a P-256 key (RFC 5915) into it.
 * @param base64 what stands between the lines of the PEM.
 */
export function pkcs8FromSec1(base64: string): string {
  const sec1 = Uint8Array.from(atob(base64.replace(/\s+/g, '')), (character) => character.charCodeAt(0));
  const wrapped = der(0x30, concatenate([p256Prefix, der(0x04, sec1)]));
  return `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...wrapped))}\n-----END PRIVATE KEY-----`;
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const header = length < 0x80 ? [tag, length] : [tag, 0x81, length];
  if (length > 0xff) throw new Error('longer than any P-256 key');
  return concatenate([Uint8Array.from(header), content]);
}
