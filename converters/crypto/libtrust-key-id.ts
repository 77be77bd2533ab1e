import { sha256 } from '@noble/hashes/sha2.js';
import type { WebKey } from './web-key.ts';

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * The libtrust id of a public key: the first 30 bytes of the SHA-256 of its DER SubjectPublicKeyInfo, in base32,
 * in twelve groups of four characters (docker/libtrust, util.go, keyIDFromCryptoKey).
 * @param key a public key; it must be extractable.
 */
export async function libtrustKeyId(key: WebKey): Promise<string> {
  const spki = new Uint8Array((await crypto.subtle.exportKey('spki', key)) as ArrayBuffer);
  const hash = sha256(spki).subarray(0, 30);
  const bits = Array.from(hash, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => base32Alphabet[Number.parseInt(five, 2)]);
  return letters.join('').match(/.{4}/g)?.join(':') ?? '';
}
