import { sha256 } from '@noble/hashes/sha2.js';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, importPKCS8, type JWK } from 'jose';
import { ConversionError } from '../errors.ts';
import { concatenate } from '../raw-text.ts';

/** A P-256 key that signs schema 1 manifests. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  /** The public half, as it goes into every signature. */
  readonly publicJwk: { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string };
  /** The libtrust id of the key: libtrust rejects a manifest whose `kid` is another. */
  readonly id: string;
}

/** Makes a key that lives as long as the process. */
export async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return signingKeyOf(privateKey);
}

/**
 * Reads a P-256 private key from a JWK or from PEM (PKCS#8, or SEC1 as `openssl ecparam -genkey` writes it).
 * @throws ConversionError SIGNATURE, with what was expected; never with anything of the key.
 */
export async function readSigningKey(text: string): Promise<SigningKey> {
  const trimmed = text.trim();
  try {
    return await signingKeyOf(trimmed.startsWith('{') ? await fromJwk(trimmed) : await fromPem(trimmed));
  } catch {
    // The cause is left out on purpose: parsers quote what they could not read.
    throw new ConversionError({
      code: 'SIGNATURE',
      message: 'The signing key cannot be read',
      expected: 'a P-256 private key as JWK (kty EC, crv P-256, x, y, d) or PEM (PKCS#8 or SEC1)',
    });
  }
}

async function fromJwk(text: string): Promise<CryptoKey> {
  const { kty, crv, x, y, d } = JSON.parse(text) as JWK;
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw new Error('not a private P-256 key');
  return (await importJWK({ kty, crv, x, y, d }, 'ES256', { extractable: true })) as CryptoKey;
}

async function fromPem(text: string): Promise<CryptoKey> {
  const sec1 = /-----BEGIN EC PRIVATE KEY-----([\s\S]+?)-----END EC PRIVATE KEY-----/.exec(text)?.[1];
  const pem = sec1 === undefined ? text : pkcs8FromSec1(sec1);
  return importPKCS8(pem, 'ES256', { extractable: true });
}

/** `version 0, AlgorithmIdentifier { ecPublicKey, prime256v1 }`, in DER (RFC 5208 §5, RFC 5480 §2.1.1). */
const p256Prefix = Uint8Array.of(
  ...[0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
);

/** WebCrypto reads PKCS#8 only: wraps the older form of RFC 5915 into it. */
function pkcs8FromSec1(base64: string): string {
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

async function signingKeyOf(privateKey: CryptoKey): Promise<SigningKey> {
  const { crv, kty, x, y } = await exportJWK(privateKey);
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y) throw new Error('not a P-256 key');
  const publicJwk = { crv, kty, x, y };
  const publicKey = (await importJWK(publicJwk, 'ES256', { extractable: true })) as CryptoKey;
  return { privateKey, publicJwk, id: await libtrustKeyId(publicKey) };
}

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * libtrust's id of a public key: the first 30 bytes of the SHA-256 of its DER SubjectPublicKeyInfo, in base32,
 * in twelve groups of four (docker/libtrust, util.go, keyIDFromCryptoKey).
 * @param key extractable.
 */
export async function libtrustKeyId(key: CryptoKey): Promise<string> {
  const spki = new Uint8Array((await crypto.subtle.exportKey('spki', key)) as ArrayBuffer);
  const hash = sha256(spki).subarray(0, 30);
  const bits = Array.from(hash, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => base32Alphabet[Number.parseInt(five, 2)]);
  return letters.join('').match(/.{4}/g)?.join(':') ?? '';
}
