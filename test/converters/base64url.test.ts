import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { base64urlBytes } from '../../converters/crypto/base64url.ts';

describe('base64urlBytes', () => {
  it('encodes base64url of every length', () => {
    const all = Uint8Array.from({ length: 3 * 256 }, (_, index) => (index * 89 + (index >> 8) * 7) % 256);
    for (let length = 0; length <= all.length; length += 1) {
      const bytes = all.subarray(0, length);
      expect(new TextDecoder().decode(base64urlBytes(bytes))).toBe(base64url.encode(bytes));
    }
  });
});
