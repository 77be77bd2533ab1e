import { type Bytes, concatenate } from '../../bytes.ts';
import { decodeBase64url } from '../../crypto/base64url.ts';
import type { PublicJwk } from '../../crypto/web-key.ts';
import { ConversionError } from '../../errors.ts';
import { member, type RawObject } from '../../json/document.ts';
import {
  asCount,
  asItems,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  refuseField,
  refuseLookAlikes,
  required,
  rootField,
} from '../../json/fields.ts';
import { parseJson } from '../../json/parse.ts';
import { limits } from '../../limits.ts';
import type { JsonWebSignature, PublicKey } from '../../model.ts';

/** A schema 1 document split into the signed payload and its signatures. */
export interface PrettyJws {
  /** The bytes that the signatures sign. Readers must ignore all other bytes (CVE-2014-8179). */
  readonly payload: Bytes;
  readonly signatures: readonly JsonWebSignature[];
}

interface Format {
  readonly formatLength: number;
  readonly formatTail: string;
}

/**
 * Extracts the payload of a signed document (docker/libtrust, jsonsign.go, ParsePrettySignature). A document without
 * signatures is its own payload. This function does not verify the signatures.
 * @param root the root object of the document.
 * @throws ConversionError SIGNATURE, INVALID or LIMIT.
 */
export function readPrettyJws(bytes: Bytes, root: Field<RawObject>): PrettyJws {
  if (member(root.value, 'signatures') === undefined) return { payload: bytes, signatures: [] };
  const signatures = required(root, 'signatures');
  const blocks = asItems(signatures).map(asObject);
  checkCount(blocks.length, signatures);
  const formats = blocks.map(readFormat);
  const [first] = formats;
  if (!first || formats.some((each) => !sameFormat(each, first))) {
    refuseField(signatures, 'The signatures cover different payloads', 'one formatLength and formatTail');
  }
  if (first.formatLength > bytes.length) {
    refuseField(
      signatures,
      'A signature covers more than there is',
      `a formatLength of at most ${bytes.length}`,
    );
  }
  const tail = decodeBase64url(first.formatTail, 'formatTail');
  const payload = concatenate([bytes.subarray(0, first.formatLength), tail]);
  return { payload, signatures: blocks.map(readBlock) };
}

function checkCount(count: number, signatures: Field): void {
  if (count === 0) refuseField(signatures, 'The list of signatures is empty', 'at least one signature');
  if (count <= limits.signatures) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: 'The manifest has too many signatures',
    dialect: 'schema1',
    path: signatures.path,
    found: String(count),
    expected: `at most ${limits.signatures}`,
  });
}

function sameFormat(left: Format, right: Format): boolean {
  return left.formatLength === right.formatLength && left.formatTail === right.formatTail;
}

function readBlock(block: Field<RawObject>): JsonWebSignature {
  const header = asObject(required(block, 'header'));
  return {
    algorithm: asString(required(header, 'alg')),
    key: readKey(header),
    signature: asString(required(block, 'signature')),
    protected: asString(required(block, 'protected')),
  };
}

/** Reads the key of a signature. A certificate chain has precedence over a JWK, as in libtrust. */
function readKey(header: Field<RawObject>): PublicKey {
  const chain = optional(header, 'x5c');
  const [leaf] = chain ? asItems(chain) : [];
  if (leaf) return { kind: 'certificate', base64: asString(leaf) };
  const jwk = asObject(required(header, 'jwk'));
  return { kind: 'jwk', jwk: publicMembers(jwk), keyId: optionalString(jwk, 'kid') };
}

/** The members of a JWK that belong to a public key; other members are dropped. */
function publicMembers(jwk: Field<RawObject>): PublicJwk {
  const names = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;
  const pairs = names.flatMap((name) => {
    const text = optionalString(jwk, name);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(pairs);
}

const formatKeys: ReadonlySet<string> = new Set(['formatLength', 'formatTail']);

function readFormat(block: Field<RawObject>): Format {
  const path = `${block.path}.protected`;
  const header = decodeBase64url(asString(required(block, 'protected')), 'protected header');
  const document = parseJson(header, {
    what: 'protected header of a signature',
    dialect: 'schema1',
    keys: 'distinct',
  });
  const root = asObject({ ...rootField(document, 'schema1'), path });
  refuseLookAlikes(root, formatKeys);
  return {
    formatLength: asCount(required(root, 'formatLength')),
    formatTail: asString(required(root, 'formatTail')),
  };
}
