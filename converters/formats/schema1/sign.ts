import { base64url } from 'jose';
import { concatenate } from '../../bytes.ts';
import { base64urlBytes } from '../../crypto/base64url.ts';
import { signEs256 } from '../../crypto/ecdsa.ts';
import type { SigningKey } from '../../crypto/signing-key.ts';
import { ConversionError } from '../../errors.ts';
import { type GoTime, wholeSeconds } from '../../json/go-time.ts';
import { encodeText } from '../../json/lossless-text.ts';

interface Block {
  readonly header: { readonly jwk: object; readonly alg: 'ES256' };
  readonly signature: string;
  readonly protected: string;
}

/**
 * Signs a schema 1 payload in libtrust's "pretty JWS": the payload stays readable, and the signatures stand
 * inside its outer braces (docker/libtrust, jsonsign.go).
 * @param payload a JSON object in bytes, as `writeSchema1` gives it.
 * @param keys one signature each, in the order of their ids, as libtrust sorts them.
 * @param created becomes the signed time, so that two signings differ in the signature alone.
 * @returns the body to send; its digest in the registry's sense is still that of the payload.
 */
export async function signSchema1(
  payload: Uint8Array,
  keys: SigningKey | readonly SigningKey[],
  created: GoTime,
): Promise<Uint8Array> {
  const formatLength = contentLength(payload);
  const formatTail = base64url.encode(payload.subarray(formatLength));
  const header = base64url.encode(JSON.stringify({ formatLength, formatTail, time: wholeSeconds(created) }));
  const input = concatenate([encodeText(`${header}.`), base64urlBytes(payload)]);
  const all = 'privateKey' in keys ? [keys] : keys.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const blocks = await Promise.all(all.map((key) => block(key, header, input)));
  const head = payload.subarray(0, formatLength);
  return concatenate([head, encodeText(signatureText(blocks, indentOf(head)))]);
}

/**
 * RFC 7515, section 5.1, without jose's help: that makes text of the payload and bytes of the text, which takes
 * several times as long as to sign.
 */
async function block(key: SigningKey, header: string, input: Uint8Array): Promise<Block> {
  return {
    header: { jwk: headerKey(key), alg: 'ES256' },
    signature: base64url.encode(await signEs256(key.privateKey, input)),
    protected: header,
  };
}

/** In the order in which Go writes a map. */
function headerKey({ id, publicJwk: { crv, kty, x, y } }: SigningKey) {
  return { crv, kid: id, kty, x, y };
}

const openingBrace = 0x7b;
const closingBrace = 0x7d;
const whiteSpace: readonly (number | undefined)[] = [0x20, 0x09, 0x0a, 0x0d];

/** The index just after the last byte that is no white space, before the final brace. */
function contentLength(payload: Uint8Array): number {
  let end = payload.lastIndexOf(closingBrace);
  while (end > 0 && whiteSpace.includes(payload[end - 1])) end -= 1;
  // Another member can only stand behind one that is there.
  if (end > 1 && payload[end - 1] !== openingBrace) return end;
  throw new ConversionError({
    code: 'INVALID',
    message: 'What is signed is no JSON object with members',
    dialect: 'schema1',
    expected: 'a schema 1 manifest',
  });
}

/** The indent of a document's first member; "" for one that begins on the line of its brace. */
function indentOf(head: Uint8Array): string {
  const start = new TextDecoder().decode(head.subarray(0, 64));
  return /^\{\n([ \t]*)"/.exec(start)?.[1] ?? '';
}

/** `"signatures": […]` in the document's own indent, and the closing brace. */
function signatureText(signatures: readonly Block[], indent: string): string {
  if (indent === '') return `,${JSON.stringify({ signatures }).slice(1)}`;
  const lines = JSON.stringify({ signatures }, null, indent).split('\n');
  return `,\n${lines.slice(1, -1).join('\n')}\n}`;
}
