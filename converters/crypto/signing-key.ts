import { type CryptoKey, exportJWK, generateKeyPair, importJWK, importPKCS8, type JWK } from 'jose';
import { ConversionError } from '../errors.ts';
import { libtrustKeyId } from './libtrust-key-id.ts';
import { pkcs8FromSec1 } from './sec1.ts';

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
 * Reads a P-256 private key from a JWK (as Docker's own `key.json`) or from PEM (PKCS#8, or SEC1 as
 * `openssl ecparam -genkey` writes it).
 * @throws ConversionError SIGNATURE, with what was expected; never with anything of the key.
 */
export async function readSigningKey(text: string): Promise<SigningKey> {
  try {
    const trimmed = text.trim();
    const key = await signingKeyOf(trimmed.startsWith('{') ? await fromJwk(trimmed) : await fromPem(trimmed));
    await checkHalves(key);
    return key;
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
  const pkcs8 = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/.exec(text)?.[0];
  const pem = sec1 === undefined ? pkcs8 : pkcs8FromSec1(sec1);
  if (pem === undefined) throw new Error('no private key in PEM');
  return importPKCS8(pem, 'ES256', { extractable: true });
}

async function signingKeyOf(privateKey: CryptoKey): Promise<SigningKey> {
  const { crv, kty, x, y } = await exportJWK(privateKey);
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y) throw new Error('not a P-256 key');
  const publicJwk = { crv, kty, x, y };
  return { privateKey, publicJwk, id: await libtrustKeyId(await publicKeyOf(publicJwk)) };
}

async function publicKeyOf(jwk: JWK): Promise<CryptoKey> {
  return (await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey;
}

const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A JWK may state a public half that is another key's: no client would take its signatures. */
async function checkHalves({ privateKey, publicJwk }: SigningKey): Promise<void> {
  const message = new Uint8Array(32);
  const signature = await crypto.subtle.sign(ecdsa, privateKey, message);
  const holds = await crypto.subtle.verify(ecdsa, await publicKeyOf(publicJwk), signature, message);
  if (!holds) throw new Error('the halves of the key do not belong together');
}
