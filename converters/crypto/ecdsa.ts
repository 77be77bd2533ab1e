import type { CryptoKey } from 'jose';
import { runtimeCrypto } from './native.ts';

const { sign, KeyObject } = runtimeCrypto();
const keyObjects = new WeakMap<CryptoKey, object>();
let answersAtOnce = sign !== undefined && KeyObject !== undefined;

/** Signs by ES256 (RFC 7518, section 3.4). @returns r and s, 32 bytes each. */
export async function signEs256(key: CryptoKey, input: Uint8Array): Promise<Uint8Array> {
  if (answersAtOnce) {
    try {
      return signAtOnce(key, input);
    } catch {
      // workerd has all of these names, and takes no key of this kind.
      answersAtOnce = false;
    }
  }
  const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
  return new Uint8Array(await crypto.subtle.sign(ecdsa, key, input as Uint8Array<ArrayBuffer>));
}

function signAtOnce(key: CryptoKey, input: Uint8Array): Uint8Array {
  const known = keyObjects.get(key) ?? KeyObject?.from(key);
  if (known === undefined || sign === undefined) throw new Error('nothing signs here');
  keyObjects.set(key, known);
  const signature = new Uint8Array(sign('sha256', input, { key: known, dsaEncoding: 'ieee-p1363' }));
  if (signature.length !== 64) throw new Error('signed in another encoding');
  return signature;
}
