import { base64url, FlattenedSign } from 'jose';
import { concatenate, decodeText, encodeText } from '../raw-text.ts';
import { type GoTime, wholeSeconds } from '../time.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Signs a schema 1 payload in libtrust's "pretty JWS": the payload stays readable, and the signatures stand
 * inside its outer braces (docker/libtrust, jsonsign.go).
 * @param payload a JSON object in bytes, as `writeSchema1` gives it.
 * @param created becomes the signed time, so that two signings differ in the signature alone.
 * @returns the body to send; its digest in the registry's sense is still that of the payload.
 */
export async function signSchema1(
  payload: Uint8Array,
  key: SigningKey,
  created: GoTime,
): Promise<Uint8Array> {
  const text = decodeText(payload);
  const closing = text.lastIndexOf('}');
  const contentEnd = text.slice(0, closing).trimEnd().length;
  const formatLength = encodeText(text.slice(0, contentEnd)).length;
  const tail = payload.subarray(formatLength);
  const header = { jwk: { crv: key.publicJwk.crv, kid: key.id, ...rest(key) }, alg: 'ES256' };
  const signed = await new FlattenedSign(payload)
    .setProtectedHeader({ formatLength, formatTail: base64url.encode(tail), time: wholeSeconds(created) })
    .setUnprotectedHeader(header)
    .sign(key.privateKey);
  const block = { header, signature: signed.signature, protected: signed.protected };
  return concatenate([payload.subarray(0, formatLength), encodeText(signatureText(block))]);
}

function rest({ publicJwk: { kty, x, y } }: SigningKey) {
  return { kty, x, y };
}

/** `,"signatures": […]` in libtrust's indent of three spaces, and the closing brace. */
function signatureText(block: object): string {
  const lines = JSON.stringify({ signatures: [block] }, null, 3).split('\n');
  return `,\n${lines.slice(1, -1).join('\n')}\n}`;
}
