import { base64url, FlattenedSign } from 'jose';
import { ConversionError } from '../errors.ts';
import { concatenate, encodeText } from '../raw-text.ts';
import { type GoTime, wholeSeconds } from '../time.ts';
import type { SigningKey } from './signing-key.ts';

interface Block {
  readonly header: { readonly jwk: object; readonly alg: 'ES256' };
  readonly signature: string;
  readonly protected: string | undefined;
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
  const time = wholeSeconds(created);
  const all = 'privateKey' in keys ? [keys] : keys.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const blocks = await Promise.all(
    all.map(async (key): Promise<Block> => {
      const header = { jwk: headerKey(key), alg: 'ES256' } as const;
      const signed = await new FlattenedSign(payload)
        .setProtectedHeader({ formatLength, formatTail, time })
        .setUnprotectedHeader(header)
        .sign(key.privateKey);
      return { header, signature: signed.signature, protected: signed.protected };
    }),
  );
  const head = payload.subarray(0, formatLength);
  return concatenate([head, encodeText(signatureText(blocks, indentOf(head)))]);
}

/** In the order in which Go writes a map. */
function headerKey({ id, publicJwk: { crv, kty, x, y } }: SigningKey) {
  return { crv, kid: id, kty, x, y };
}

const closingBrace = 0x7d;
const whiteSpace: readonly (number | undefined)[] = [0x20, 0x09, 0x0a, 0x0d];

/** The index just after the last byte that is no white space, before the final brace. */
function contentLength(payload: Uint8Array): number {
  let end = payload.lastIndexOf(closingBrace);
  while (end > 0 && whiteSpace.includes(payload[end - 1])) end -= 1;
  if (end > 0) return end;
  throw new ConversionError({
    code: 'INVALID',
    message: 'What is signed is no JSON object',
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
