import { type CryptoKey, flattenedVerify, importJWK, type JWK, base64url as jose64 } from 'jose';
import { ConversionError, excerpt } from '../errors.ts';
import {
  asItems,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  refuse,
  required,
} from '../fields.ts';
import { member, parseJson, type RawDocument, type RawObject, rawText } from '../raw-json.ts';
import { concatenate } from '../raw-text.ts';
import { libtrustKeyId } from './signing-key.ts';

/** One signature block of a libtrust "pretty JWS", as written. */
export interface JsonWebSignature {
  readonly algorithm: string;
  readonly jwk: JWK;
  readonly keyId: string | undefined;
  readonly signature: string;
  readonly protected: string;
}

export interface PrettyJws {
  /** The bytes that the signatures cover: the only ones to be believed (CVE-2014-8179). */
  readonly payload: Uint8Array;
  readonly signatures: readonly JsonWebSignature[];
}

interface Format {
  readonly formatLength: number;
  readonly formatTail: string;
}

/**
 * Takes the payload out of a signed document (docker/libtrust, jsonsign.go, ParsePrettySignature). A document
 * without signatures is its own payload.
 * @throws ConversionError SIGNATURE or INVALID; nothing is verified here.
 */
export function readPrettyJws(bytes: Uint8Array, root: Field<RawObject>): PrettyJws {
  const signatures = optional(root, 'signatures');
  if (!signatures) return { payload: bytes, signatures: [] };
  const blocks = asItems(signatures).map((each) => asObject(each));
  if (blocks.length === 0) refuse(signatures, 'The list of signatures is empty', 'at least one signature');
  const read = blocks.map(readBlock);
  const formats = blocks.map(readFormat);
  const [first] = formats;
  if (!first || formats.some((each) => !sameFormat(each, first))) {
    refuse(signatures, 'The signatures cover different payloads', 'one formatLength and formatTail');
  }
  if (first.formatLength > bytes.length) {
    refuse(signatures, 'A signature covers more than there is', `a formatLength of at most ${bytes.length}`);
  }
  return { payload: concatenate([bytes.subarray(0, first.formatLength), tailOf(first)]), signatures: read };
}

function sameFormat(left: Format, right: Format): boolean {
  return left.formatLength === right.formatLength && left.formatTail === right.formatTail;
}

function tailOf({ formatTail }: Format): Uint8Array {
  return decodeBase64url(formatTail, 'formatTail');
}

function decodeBase64url(text: string, what: string): Uint8Array {
  if (/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1) return jose64.decode(text);
  throw new ConversionError({
    code: 'SIGNATURE',
    message: `The ${what} of a signature is not base64url`,
    dialect: 'schema1',
    found: excerpt(text),
    expected: 'base64url without padding (RFC 7515, section 2)',
  });
}

function readBlock(block: Field<RawObject>): JsonWebSignature {
  const header = asObject(required(block, 'header'));
  const jwk = asObject(required(header, 'jwk'));
  return {
    algorithm: asString(required(header, 'alg')),
    jwk: publicMembers(jwk),
    keyId: optionalString(jwk, 'kid'),
    signature: asString(required(block, 'signature')),
    protected: asString(required(block, 'protected')),
  };
}

/** Of the key in the header only what a public key has. */
function publicMembers(jwk: Field<RawObject>): JWK {
  const names = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;
  const pairs = names.flatMap((name) => {
    const text = optionalString(jwk, name);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(pairs) as JWK;
}

function readFormat(block: Field<RawObject>): Format {
  const header = decodeBase64url(asString(required(block, 'protected')), 'protected header');
  const document: RawDocument = parseJson(header, {
    what: 'protected header of a signature',
    dialect: 'schema1',
    duplicates: 'refuse',
  });
  const root = asObject({
    document,
    value: document.root,
    path: `${block.path}.protected`,
    dialect: 'schema1',
  });
  const length = member(root.value, 'formatLength');
  const number = length && Number(rawText(document, length));
  if (number === undefined || !Number.isSafeInteger(number) || number < 0) {
    refuse(root, 'The formatLength of a signature cannot be used', 'a whole number of bytes');
  }
  return { formatLength: number, formatTail: asString(required(root, 'formatTail')) };
}

/** The algorithms that libtrust signs with; what else a header names is refused. */
const algorithms: ReadonlySet<string> = new Set(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512']);

/**
 * Verifies every signature with the key that it carries. That proves that the payload is what the holder of the
 * key signed, not who the holder is: libtrust's own check for a manifest is no more.
 * @throws ConversionError SIGNATURE.
 */
export async function verifyPrettyJws({ payload, signatures }: PrettyJws): Promise<void> {
  for (const [index, each] of signatures.entries()) {
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

async function faultOf(
  payload: Uint8Array,
  each: JsonWebSignature,
): Promise<{ found: string; expected: string } | undefined> {
  if (!algorithms.has(each.algorithm)) {
    return { found: `the algorithm ${excerpt(each.algorithm)}`, expected: [...algorithms].join(', ') };
  }
  try {
    const key = (await importJWK(each.jwk, each.algorithm, { extractable: true })) as CryptoKey;
    const id = await libtrustKeyId(key);
    if (each.keyId !== undefined && each.keyId !== id) {
      return { found: `the key id ${excerpt(each.keyId)}`, expected: `${id}, the id of the key given` };
    }
    await flattenedVerify(
      {
        payload: jose64.encode(payload),
        protected: each.protected,
        signature: each.signature,
        header: { alg: each.algorithm },
      },
      key,
    );
    return undefined;
  } catch {
    return { found: 'a signature that fails', expected: 'one that its key made over this payload' };
  }
}
