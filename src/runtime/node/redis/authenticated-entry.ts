import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { exportJWK } from 'jose';
import { convertersVersion } from '../../../../converters/conversion-graph.ts';
import type { SigningKey } from '../../../../converters/crypto/signing-key.ts';
import type { CacheEntry } from '../../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../../cache/entry-codec.ts';
import { kindOf } from '../../../registry/cache-entries.ts';

/**
 * Writes and reads entries in Redis. An entry decides which bytes a client gets, so each value carries an
 * HMAC-SHA-256 over its name and itself. Only a holder of the signing key can make one: another writer to that Redis
 * can remove entries, and no more.
 */
export interface EntryAuthenticator {
  /** The name of an entry in Redis. */
  keyFor(key: string): string;
  seal(key: string, entry: CacheEntry): Buffer;
  /** @returns undefined for a value that was changed, or that another signing key or another name sealed. */
  open(key: string, value: Uint8Array): CacheEntry | undefined;
}

/**
 * The version of the format below. Another format has another name, so that two versions do not read each other's
 * entries.
 */
const format = 1;
const codeBytes = 32;

/**
 * A name contains the format, the converters' version and a mark of the signing key. Replicas that differ in one of
 * them neither see nor overwrite each other's entries.
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
  // A cache key contains names of repositories and may be long.
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
      // A copy: a part of the connection's buffer would keep the whole buffer in memory.
      const bytes = new Uint8Array(value.subarray(codeBytes));
      const whole = value.length > codeBytes;
      return whole && timingSafeEqual(value.subarray(0, codeBytes), code(key, bytes))
        ? decodeEntry(bytes)
        : undefined;
    },
  };
}
