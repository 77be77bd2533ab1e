import { concatenate } from '../../converters/bytes.ts';
import type { CacheEntry } from './cache.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Encodes an entry for caches outside of the process: the length of the facts in four bytes (big-endian), the facts as
 * JSON, then the body.
 */
export function encodeEntry({ facts, body }: CacheEntry): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(JSON.stringify(facts));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length);
  return concatenate([length, json, body]) as Uint8Array<ArrayBuffer>;
}

/** @returns `undefined` for bytes that are not an entry: another version of regshift may have written them. */
export function decodeEntry(bytes: Uint8Array): CacheEntry | undefined {
  if (bytes.length < 4) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length > bytes.length - 4) return undefined;
  try {
    const facts = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length))) as unknown;
    if (typeof facts !== 'object' || facts === null) return undefined;
    return { facts: facts as CacheEntry['facts'], body: bytes.subarray(4 + length) };
  } catch {
    return undefined;
  }
}
