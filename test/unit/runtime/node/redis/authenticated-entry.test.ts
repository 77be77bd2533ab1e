import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  generateSigningKey,
  readSigningKey,
  type SigningKey,
} from '../../../../../converters/crypto/signing-key.ts';
import {
  createEntryAuthenticator,
  type EntryAuthenticator,
} from '../../../../../src/runtime/node/redis/authenticated-entry.ts';
import { testSigningKey } from '../../../../support/signing-key.ts';

const key = 'recipe https://registry.example team/secret-project sha256:00';
const entry = { facts: { n: 1 }, body: Uint8Array.of(1, 2, 3) };

let signingKey: SigningKey;
let authenticator: EntryAuthenticator;
beforeAll(async () => {
  signingKey = await readSigningKey(JSON.stringify(testSigningKey));
  authenticator = await createEntryAuthenticator(signingKey);
});

describe('an entry in Redis', () => {
  it('is read by every replica with the same signing key', async () => {
    const other = await createEntryAuthenticator(await readSigningKey(JSON.stringify(testSigningKey)));
    expect(other.keyFor(key)).toBe(authenticator.keyFor(key));
    expect(other.open(key, authenticator.seal(key, entry))).toEqual(entry);
  });

  it('is unreadable with another signing key, which gives it another name', async () => {
    const other = await createEntryAuthenticator(await generateSigningKey());
    expect(other.keyFor(key)).not.toBe(authenticator.keyFor(key));
    expect(other.open(key, authenticator.seal(key, entry))).toBeUndefined();
  });

  it('is not read under the key of another entry', () => {
    expect(authenticator.open(`${key}1`, authenticator.seal(key, entry))).toBeUndefined();
  });

  it('is not read when any bit of it has changed, or its end is missing', () => {
    const sealed = authenticator.seal(key, entry);
    for (let index = 0; index < sealed.length * 8; index += 1) {
      const changed = Uint8Array.from(sealed);
      changed[index >> 3] = (changed[index >> 3] ?? 0) ^ (1 << (index & 7));
      expect(authenticator.open(key, changed)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(authenticator.open(key, sealed.subarray(0, length))).toBeUndefined();
    }
  });

  it('is undefined for any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(authenticator.open(key, bytes)).toBeUndefined();
      }),
    );
  });

  it('has a name with format, version, fleet and kind, and without the repository', () => {
    expect(authenticator.keyFor(key)).toMatch(/^regshift:1\.1:[0-9a-f]{8}:recipe:[0-9a-f]{64}$/);
    expect(authenticator.keyFor(`${key}1`)).not.toBe(authenticator.keyFor(key));
  });

  it('keeps its name from version to version', () => {
    expect(authenticator.keyFor(key)).toBe(
      'regshift:1.1:da929016:recipe:5b5db77834dd4bbd955a52926a2439f0526496c8cbcaca7cfc9c60b9424648b6',
    );
  });
});
