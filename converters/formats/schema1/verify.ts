import { importJWK, importX509 } from 'jose';
import { checkIsModel } from '../../arguments.ts';
import { concatenate } from '../../bytes.ts';
import { base64urlBytes, decodeBase64url } from '../../crypto/base64url.ts';
import { libtrustKeyId } from '../../crypto/libtrust-key-id.ts';
import { needWebCrypto } from '../../crypto/native.ts';
import type { WebKey } from '../../crypto/web-key.ts';
import { ConversionError, excerpt } from '../../errors.ts';
import { encodeText } from '../../json/lossless-text.ts';
import type { JsonWebSignature, Model, PublicKey } from '../../model.ts';
import type { TakeTurn } from '../../ports.ts';

/** The algorithms that libtrust signs with, in terms of WebCrypto (RFC 7518, section 3); regshift refuses all others. */
const algorithms = new Map<string, { readonly name: string; readonly hash?: string }>([
  ['ES256', { name: 'ECDSA', hash: 'SHA-256' }],
  ['ES384', { name: 'ECDSA', hash: 'SHA-384' }],
  ['ES512', { name: 'ECDSA', hash: 'SHA-512' }],
  // An RSA key has its hash.
  ['RS256', { name: 'RSASSA-PKCS1-v1_5' }],
  ['RS384', { name: 'RSASSA-PKCS1-v1_5' }],
  ['RS512', { name: 'RSASSA-PKCS1-v1_5' }],
]);

/** The least bits of an RSA key (RFC 7518, section 3.3). */
const leastModulus = 2048;

/**
 * Verifies every signature of a schema 1 image with the key in the signature. This proves that the holder of the key
 * signed the payload, but not who the holder is; libtrust checks no more for a manifest. Unsigned images, and images of
 * other dialects, pass.
 * @param turn waits for a turn to work on some bytes.
 * @throws ConversionError SIGNATURE when a signature is invalid; UNREADABLE for bytes in place of a model.
 */
export async function verifySchema1(model: Model, turn?: TakeTurn): Promise<void> {
  checkIsModel(model);
  if (model.kind !== 'image' || model.target.kind !== 'v1' || model.target.signatures.length === 0) return;
  needWebCrypto();
  const { target, source } = model;
  await turn?.(source.document.text.length);
  // The text of the source document is the payload, byte for byte.
  const payload = base64urlBytes(encodeText(source.document.text));
  for (const [index, each] of target.signatures.entries()) {
    await turn?.(payload.length);
    const fault = await faultOf(payload, each);
    if (fault === undefined) continue;
    throw new ConversionError({
      code: 'SIGNATURE',
      message: 'A signature of the schema 1 manifest does not hold, so the manifest is not used',
      dialect: 'schema1',
      path: `$.signatures[${index}]`,
      ...fault,
    });
  }
}

interface Fault {
  readonly found: string;
  readonly expected: string;
}

async function faultOf(payload: Uint8Array, each: JsonWebSignature): Promise<Fault | undefined> {
  const { algorithm, key, signature } = each;
  const how = algorithms.get(algorithm);
  if (how === undefined) {
    return { found: `the algorithm ${excerpt(algorithm)}`, expected: [...algorithms.keys()].join(', ') };
  }
  try {
    const imported = await importKey(key, algorithm);
    const misnamed = key.kind === 'jwk' ? await keyIdFault(imported, key.keyId) : undefined;
    if (misnamed) return misnamed;
    // RFC 7515, section 5.2. jose would convert the payload to text and back to bytes for each signature.
    const input = concatenate([encodeText(`${each.protected}.`), payload]) as Uint8Array<ArrayBuffer>;
    const bytes = decodeBase64url(signature, 'signature') as Uint8Array<ArrayBuffer>;
    return (await crypto.subtle.verify(how, imported, bytes, input)) ? undefined : failed;
  } catch {
    return failed;
  }
}

const failed: Fault = {
  found: 'a signature that fails',
  expected: 'one that its key made over this payload',
};

async function importKey(key: PublicKey, algorithm: string): Promise<WebKey> {
  const imported = await readKey(key, algorithm);
  const { modulusLength = leastModulus } = imported.algorithm as { readonly modulusLength?: number };
  if (modulusLength < leastModulus) throw new Error('the key is too short');
  return imported;
}

async function readKey(key: PublicKey, algorithm: string): Promise<WebKey> {
  if (key.kind === 'jwk') {
    return (await importJWK(key.jwk, algorithm, { extractable: true })) as WebKey;
  }
  const pem = `-----BEGIN CERTIFICATE-----\n${key.base64}\n-----END CERTIFICATE-----`;
  return importX509(pem, algorithm, { extractable: true });
}

/** Checks the `kid` of a key, as libtrust does. A key without one is valid. */
async function keyIdFault(key: WebKey, stated: string | undefined): Promise<Fault | undefined> {
  if (stated === undefined) return undefined;
  const id = await libtrustKeyId(key);
  if (stated === id) return undefined;
  return { found: `the key id ${excerpt(stated)}`, expected: `${id}, the id of the key given` };
}
