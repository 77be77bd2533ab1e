import { describe, expect, test } from 'vitest';
import { digestOf, sha256Hex } from '../../converters/digest.ts';

const webCryptoNames = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

describe('digestOf, with the hash function of the runtime', () => {
  for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
    test.each([0, 1, 55, 56, 64, 111, 112, 1000, 100_000])(`${algorithm} of %i bytes`, async (length) => {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + 7) & 255);
      const expected = hex(await crypto.subtle.digest(webCryptoNames[algorithm], bytes));
      expect(digestOf(bytes, algorithm)).toBe(`${algorithm}:${expected}`);
    });
  }

  test('hashes only the bytes of a view, not its whole buffer', () => {
    const whole = new TextEncoder().encode('before abc after');
    // FIPS 180-4, the example of one block.
    expect(sha256Hex(whole.subarray(7, 10))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
