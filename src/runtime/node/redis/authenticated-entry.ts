import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { exportJWK } from 'jose';
import { convertersVersion } from '../../../../converters/conversion-graph.ts';
import type { SigningKey } from '../../../../converters/crypto/signing-key.ts';
import type { CacheEntry } from '../../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../../cache/entry-codec.ts';
import { kindOf } from '../../../registry/cache-entries.ts';

/**
 * How entries lie in Redis. What is read there decides which bytes a client is given, so each value carries a code
 * (HMAC-SHA-256 over its name and itself) that only who has the signing key can make: whoever else can write to that
 * Redis can make entries go missing, and no more.
 */
export interface EntryAuthenticator {
  /** The name that an entry has in Redis. */
  keyFor(key: string): string;
  seal(key: string, entry: CacheEntry): Buffer;
  /** @returns undefined for what was not sealed under this key with this signing key, or was changed. */
  open(key: string, value: Uint8Array): CacheEntry | undefined;
}

/** Of the bytes below. Another format has another name, so that two versions never read each other's. */
const format = 1;
const codeBytes = 32;

/**
 * Names hold the format, the converters' version and a mark of the signing key: replicas that differ in one of them
 * do not see each other's entries, and none of them overwrites another's.
 */
export async function createEntryAuthenticator(signingKey: SigningKey): Promise<EntryAuthenticator> {
  const { d } = await exportJWK(signingKey.privateKey);
  if (d === undefined) throw new TypeError('a private key has a d');
  const derive = (use: string, length: number) =>
    Buffer.from(
      hkdfSync('sha256', Buffer.from(d, 'base64url'), '', `regshift redis ${use} ${format}`, length),
    );
  const secret = derive('code', 32);
  const prefix = `regshift:${format}.${convertersVersion}:${derive('fleet', 4).toString('hex')}`;
  // A key of ours holds names of repositories, and may be long.
  const name = (key: string) => `${prefix}:${kindOf(key)}:${createHash('sha256').update(key).digest('hex')}`;
  const code = (key: string, bytes: Uint8Array) =>
    createHmac('sha256', secret).update(name(key)).update(bytes).digest();
  return {
    keyFor: name,
    seal(key, entry) {
      const bytes = encodeEntry(entry);
      return Buffer.concat([code(key, bytes), bytes]);
    },
    open(key, value) {
      // A copy: what comes from a connection is a part of a larger piece of memory, which it would hold on to.
      const bytes = new Uint8Array(value.subarray(codeBytes));
      const whole = value.length > codeBytes;
      return whole && timingSafeEqual(value.subarray(0, codeBytes), code(key, bytes))
        ? decodeEntry(bytes)
        : undefined;
    },
  };
}
