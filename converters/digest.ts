import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { runtimeCrypto } from './crypto/native.ts';
import { ConversionError, excerpt } from './errors.ts';

/** A content address: `sha256:`, `sha384:` or `sha512:` and lower-case hex (OCI image-spec, descriptor.md). */
export type Digest = string & { readonly __brand: 'Digest' };

/** Algorithms of content addresses (OCI image-spec, descriptor.md, "Registered algorithms"), and sha384. */
type HashAlgorithm = 'sha256' | 'sha384' | 'sha512';

const pattern = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** Whether a text is a digest of a known algorithm. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && pattern.test(text);
}

/** @throws ConversionError INVALID when `text` is not a digest of a known algorithm. */
export function parseDigest(text: unknown, path?: string): Digest {
  if (isDigest(text)) return text;
  throw new ConversionError({
    code: 'INVALID',
    message: 'A digest cannot be read',
    path,
    found: excerpt(text),
    expected: 'sha256: and 64 lower-case hex digits (or sha384 with 96, sha512 with 128)',
  });
}

/** The grammar of all digests (OCI image-spec 1.1, descriptor.md, "Digests"). */
const grammar = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):[a-zA-Z0-9=_-]+$/;

/** Whether a text is a digest of an algorithm that is not known here, like `sha256+b64:…` or `blake3:…`. */
export function isOfUnknownAlgorithm(text: string): boolean {
  const [, algorithm] = grammar.exec(text) ?? [];
  return algorithm !== undefined && !Object.hasOwn(noble, algorithm);
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestAlgorithm(digest: Digest): HashAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as HashAlgorithm;
}

const noble = { sha256, sha384, sha512 } as const;

/** Synchronous hash of the runtime, six times as fast as JavaScript. A chain of v1 ids needs one hash per entry. */
const nativeHash = runtimeCrypto().hash;

/** @param content bytes, or text, whose UTF-8 is hashed. @returns lower-case hex. */
function hashHex(algorithm: HashAlgorithm, content: Uint8Array | string): string {
  if (nativeHash) return nativeHash(algorithm, content, 'hex');
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return bytesToHex(noble[algorithm](bytes));
}

/** @param content bytes, or text, whose UTF-8 is hashed. @returns lower-case hex. */
export function sha256Hex(content: Uint8Array | string): string {
  return hashHex('sha256', content);
}

/** @returns lower-case hex. */
export function sha384Hex(bytes: Uint8Array): string {
  return hashHex('sha384', bytes);
}

/** The digest of content. */
export function digestOf(bytes: Uint8Array, algorithm: HashAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hashHex(algorithm, bytes)}` as Digest;
}

/** Byte count from which WebCrypto is cheaper than `hashHex`, although WebCrypto hashes in another thread. */
const longContent = (nativeHash ? 256 : 8) * 1024;

/** Same result as `digestOf`; faster for long content. */
export async function digestOfLong(bytes: Uint8Array, algorithm: HashAlgorithm = 'sha256'): Promise<Digest> {
  // Browsers have no WebCrypto for pages of http:// (needWebCrypto).
  if (bytes.length < longContent || !(crypto.subtle as unknown)) return digestOf(bytes, algorithm);
  const hash = await crypto.subtle.digest(algorithm.replace('sha', 'SHA-'), bytes as Uint8Array<ArrayBuffer>);
  return `${algorithm}:${bytesToHex(new Uint8Array(hash))}` as Digest;
}

/**
 * Checks content against its digest.
 * @param what the content is, for the message.
 * @throws ConversionError DIGEST_MISMATCH when `bytes` have another digest.
 */
export function verifyDigest(bytes: Uint8Array, digest: Digest, what: string): void {
  if (digestOf(bytes, digestAlgorithm(parseDigest(digest))) !== digest)
    throw digestMismatch(bytes, digest, what);
}

export function digestMismatch(bytes: Uint8Array, digest: Digest, what: string): ConversionError {
  return new ConversionError({
    code: 'DIGEST_MISMATCH',
    message: `The ${what} is not what its digest says, so it is not used`,
    found: `${digestOf(bytes, digestAlgorithm(digest))} (${bytes.length} bytes)`,
    expected: digest,
  });
}
