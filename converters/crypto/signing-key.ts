import { exportJWK, importJWK, importPKCS8, type JWK } from 'jose';
import { concatenate } from '../bytes.ts';
import { ConversionError } from '../errors.ts';
import { libtrustKeyId } from './libtrust-key-id.ts';
import { needWebCrypto } from './native.ts';
import type { WebKey } from './web-key.ts';

/** A P-256 key that signs schema 1 manifests. */
export interface SigningKey {
  readonly privateKey: WebKey;
  /** The public key; each signature contains it. */
  readonly publicJwk: { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string };
  /** The libtrust id of the key. libtrust rejects a manifest with another `kid`. */
  readonly id: string;
}

/** Generates a key that exists only in the memory of this process. */
export async function generateSigningKey(): Promise<SigningKey> {
  needWebCrypto();
  const pair = await crypto.subtle.generateKey(p256, true, ['sign', 'verify']);
  return signingKeyOf((pair as { readonly privateKey: WebKey }).privateKey);
}

/**
 * Reads a P-256 private key from a JWK (as Docker's own `key.json`) or from PEM (PKCS#8, or SEC1 as
 * `openssl ecparam -genkey` writes it).
 * @throws ConversionError SIGNATURE that names the accepted formats and contains no part of the key.
 */
export async function readSigningKey(text: string): Promise<SigningKey> {
  needWebCrypto();
  try {
    const trimmed = text.trim();
    const key = await signingKeyOf(trimmed.startsWith('{') ? await fromJwk(trimmed) : await fromPem(trimmed));
    await checkHalves(key);
    return key;
  } catch {
    // The error has no cause on purpose: parsers quote the text that they cannot read, which is the key.
    throw unreadableSigningKey();
  }
}

/** The error of a text that is no signing key. */
export function unreadableSigningKey(): ConversionError {
  return new ConversionError({
    code: 'SIGNATURE',
    message: 'The signing key cannot be read',
    expected: 'a P-256 private key as JWK (kty EC, crv P-256, x, y, d) or PEM (PKCS#8 or SEC1)',
  });
}

/**
 * Whether a text has the form of a signing key, for a check that cannot wait. Only `readSigningKey` knows whether its
 * numbers belong together.
 */
export function looksLikeSigningKey(text: string): boolean {
  const trimmed = text.trim();
  try {
    if (trimmed.startsWith('{')) return jwkOf(trimmed).crv === 'P-256';
    const base64 = pemOf(trimmed).replace(/-----.*?-----|\s/g, '');
    return atob(base64).includes(String.fromCharCode(...p256Oid));
  } catch {
    return false;
  }
}

async function fromJwk(text: string): Promise<WebKey> {
  return (await importJWK(jwkOf(text), 'ES256', { extractable: true })) as WebKey;
}

/** @throws Error for any other text than a private P-256 key. */
function jwkOf(text: string): JWK {
  const { kty, crv, x, y, d } = JSON.parse(text) as JWK;
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw new Error('not a private P-256 key');
  return { kty, crv, x, y, d };
}

async function fromPem(text: string): Promise<WebKey> {
  return importPKCS8(pemOf(text), 'ES256', { extractable: true });
}

/** The key as PKCS#8. @throws Error for a text without a private key. */
function pemOf(text: string): string {
  const sec1 = /-----BEGIN EC PRIVATE KEY-----([\s\S]+?)-----END EC PRIVATE KEY-----/.exec(text)?.[1];
  const pkcs8 = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/.exec(text)?.[0];
  const pem = sec1 === undefined ? pkcs8 : pkcs8FromSec1(sec1);
  if (pem === undefined) throw new Error('no private key in PEM');
  return pem;
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** `prime256v1` in DER (RFC 5480, section 2.1.1.1). */
const p256Oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] as const;

/** `version 0, AlgorithmIdentifier { ecPublicKey, prime256v1 }`, in DER (RFC 5208 §5, RFC 5480 §2.1.1). */
const p256Prefix = Uint8Array.of(
  ...[0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, ...p256Oid],
);

/**
 * Wraps a SEC1 key (RFC 5915), the older form of a P-256 key, into PKCS#8, the only form that WebCrypto reads.
 * @param base64 the text between the first and last line of the PEM.
 */
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

async function signingKeyOf(privateKey: WebKey): Promise<SigningKey> {
  const { crv, kty, x, y } = await exportJWK(privateKey);
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y) throw new Error('not a P-256 key');
  const publicJwk = { crv, kty, x, y };
  return { privateKey, publicJwk, id: await libtrustKeyId(await publicKeyOf(publicJwk)) };
}

async function publicKeyOf(jwk: JWK): Promise<WebKey> {
  return (await importJWK(jwk, 'ES256', { extractable: true })) as WebKey;
}

const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A JWK can contain the public key of another private key. Every client rejects signatures of such a pair. */
async function checkHalves({ privateKey, publicJwk }: SigningKey): Promise<void> {
  const message = new Uint8Array(32);
  const signature = await crypto.subtle.sign(ecdsa, privateKey, message);
  const valid = await crypto.subtle.verify(ecdsa, await publicKeyOf(publicJwk), signature, message);
  if (!valid) throw new Error('the halves of the key do not belong together');
}
