import { base64url } from 'jose';
import { type Bytes, concatenate } from '../../bytes.ts';
import { base64urlBytes } from '../../crypto/base64url.ts';
import { runtimeCrypto } from '../../crypto/native.ts';
import type { SigningKey } from '../../crypto/signing-key.ts';
import type { WebKey } from '../../crypto/web-key.ts';
import { ConversionError } from '../../errors.ts';
import { type GoTime, wholeSeconds } from '../../json/go-time.ts';
import { encodeText } from '../../json/lossless-text.ts';
import type { TakeTurn } from '../../ports.ts';

interface Block {
  readonly header: { readonly jwk: object; readonly alg: 'ES256' };
  readonly signature: string;
  readonly protected: string;
}

/**
 * Signs a schema 1 payload in libtrust's "pretty JWS": the payload stays readable, and the signatures stand
 * inside its outer braces (docker/libtrust, jsonsign.go).
 * @param payload a JSON object in bytes, as `writeSchema1` returns it.
 * @param keys one signature each, in the order of their ids, as libtrust sorts them.
 * @param created the signed time. With a fixed time, two signings differ only in the signature.
 * @param turn waits between the encoding of the payload and the signing.
 * @returns the body to send. In a registry's sense its digest is the digest of the payload.
 * @throws ConversionError INVALID when the payload is not a JSON object with members.
 */
export async function signSchema1(
  payload: Uint8Array,
  keys: SigningKey | readonly SigningKey[],
  created: GoTime,
  turn?: TakeTurn,
): Promise<Bytes> {
  const formatLength = contentLength(payload);
  const formatTail = base64url.encode(payload.subarray(formatLength));
  const header = base64url.encode(JSON.stringify({ formatLength, formatTail, time: wholeSeconds(created) }));
  const input = concatenate([encodeText(`${header}.`), base64urlBytes(payload)]);
  await turn?.(input.length);
  const all = 'privateKey' in keys ? [keys] : keys.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const blocks = await Promise.all(all.map((key) => block(key, header, input)));
  const head = payload.subarray(0, formatLength);
  return concatenate([head, encodeText(signatureText(blocks, indentOf(head)))]);
}

/**
 * Signs as RFC 7515, section 5.1, says, but without jose: jose converts the payload to text and back to bytes, which
 * takes several times as long as the signing.
 */
async function block(key: SigningKey, header: string, input: Uint8Array): Promise<Block> {
  return {
    header: { jwk: headerKey(key), alg: 'ES256' },
    signature: base64url.encode(await signEs256(key.privateKey, input)),
    protected: header,
  };
}

const runtime = runtimeCrypto();
const keyObjects = new WeakMap<WebKey, object>();
let signsSynchronously = runtime.sign !== undefined && runtime.KeyObject !== undefined;

/** Signs by ES256 (RFC 7518, section 3.4). @returns r and s, 32 bytes each. */
async function signEs256(key: WebKey, input: Uint8Array): Promise<Uint8Array> {
  if (signsSynchronously) {
    try {
      return signEs256Synchronously(key, input);
    } catch {
      // workerd has all of these functions, but does not accept a key of this kind.
      signsSynchronously = false;
    }
  }
  const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
  return new Uint8Array(await crypto.subtle.sign(ecdsa, key, input as Uint8Array<ArrayBuffer>));
}

function signEs256Synchronously(key: WebKey, input: Uint8Array): Uint8Array {
  const { sign, KeyObject } = runtime;
  const known = keyObjects.get(key) ?? KeyObject?.from(key);
  if (known === undefined || sign === undefined) throw new Error('the runtime has no synchronous signing');
  keyObjects.set(key, known);
  const signature = new Uint8Array(sign('sha256', input, { key: known, dsaEncoding: 'ieee-p1363' }));
  if (signature.length !== 64) throw new Error('signed in another encoding');
  return signature;
}

/** Members in the order in which Go writes a map. */
function headerKey({ id, publicJwk: { crv, kty, x, y } }: SigningKey) {
  return { crv, kid: id, kty, x, y };
}

const openingBrace = 0x7b;
const closingBrace = 0x7d;
const whiteSpace: readonly (number | undefined)[] = [0x20, 0x09, 0x0a, 0x0d];

/** Number of bytes before the final brace and the white space in front of it. */
function contentLength(payload: Uint8Array): number {
  let end = payload.lastIndexOf(closingBrace);
  while (end > 0 && whiteSpace.includes(payload[end - 1])) end -= 1;
  // The signatures begin with a comma, so the object must have a member before them.
  if (end > 1 && payload[end - 1] !== openingBrace) return end;
  throw new ConversionError({
    code: 'INVALID',
    message: 'What is signed is no JSON object with members',
    dialect: 'schema1',
    expected: 'a schema 1 manifest',
  });
}

/** The indent of a document's first member; "" if the member is on the line of the opening brace. */
function indentOf(head: Uint8Array): string {
  const start = new TextDecoder().decode(head.subarray(0, 64));
  return /^\{\n([ \t]*)"/.exec(start)?.[1] ?? '';
}

/** The text `"signatures": […]` in the document's own indent, and the closing brace. */
function signatureText(signatures: readonly Block[], indent: string): string {
  if (indent === '') return `,${JSON.stringify({ signatures }).slice(1)}`;
  const lines = JSON.stringify({ signatures }, null, indent).split('\n');
  return `,\n${lines.slice(1, -1).join('\n')}\n}`;
}
