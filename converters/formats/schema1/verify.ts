import { base64url, type CryptoKey, flattenedVerify, importJWK, importX509 } from 'jose';
import { libtrustKeyId } from '../../crypto/libtrust-key-id.ts';
import { ConversionError, excerpt } from '../../errors.ts';
import { encodeText } from '../../json/lossless-text.ts';
import type { JsonWebSignature, Model, PublicKey } from '../../model.ts';

/** The algorithms that libtrust signs with; regshift refuses all others. */
const algorithms: ReadonlySet<string> = new Set(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512']);

/**
 * Verifies every signature of a schema 1 image with the key in the signature. This proves that the holder of the key
 * signed the payload, but not who the holder is; libtrust checks no more for a manifest. Unsigned images, and images of
 * other dialects, pass.
 * @throws ConversionError SIGNATURE when a signature is invalid.
 */
export async function verifySchema1(model: Model): Promise<void> {
  if (model.kind !== 'image' || model.target.kind !== 'v1' || model.target.signatures.length === 0) return;
  const { target, source } = model;
  // The text of the source document is the payload, byte for byte.
  const payload = base64url.encode(encodeText(source.document.text));
  for (const [index, each] of target.signatures.entries()) {
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

async function faultOf(payload: string, each: JsonWebSignature): Promise<Fault | undefined> {
  const { algorithm, key, signature } = each;
  if (!algorithms.has(algorithm)) {
    return { found: `the algorithm ${excerpt(algorithm)}`, expected: [...algorithms].join(', ') };
  }
  try {
    const imported = await importKey(key, algorithm);
    const misnamed = key.kind === 'jwk' ? await keyIdFault(imported, key.keyId) : undefined;
    if (misnamed) return misnamed;
    const header = { alg: algorithm };
    await flattenedVerify({ payload, protected: each.protected, signature, header }, imported);
    return undefined;
  } catch {
    return { found: 'a signature that fails', expected: 'one that its key made over this payload' };
  }
}

async function importKey(key: PublicKey, algorithm: string): Promise<CryptoKey> {
  if (key.kind === 'jwk') {
    return (await importJWK(key.jwk, algorithm, { extractable: true })) as CryptoKey;
  }
  const pem = `-----BEGIN CERTIFICATE-----\n${key.base64}\n-----END CERTIFICATE-----`;
  return importX509(pem, algorithm, { extractable: true });
}

/** Checks the `kid` of a key, as libtrust does. A key without one is valid. */
async function keyIdFault(key: CryptoKey, stated: string | undefined): Promise<Fault | undefined> {
  if (stated === undefined) return undefined;
  const id = await libtrustKeyId(key);
  if (stated === id) return undefined;
  return { found: `the key id ${excerpt(stated)}`, expected: `${id}, the id of the key given` };
}
