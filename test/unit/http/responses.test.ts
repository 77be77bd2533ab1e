import { describe, expect, it } from 'vitest';
import { streamedResponse } from '../../../src/http/responses.ts';
import { settled } from '../../support/settled.ts';

const mebibyte = new Uint8Array(1024 * 1024).fill(0x61);

/** Parts of a document, and the number of them that were made. */
function document(count: number, fails = false) {
  const made = { count: 0, left: false };
  async function* parts() {
    try {
      for (; made.count < count; ) {
        made.count += 1;
        yield mebibyte;
      }
      if (fails) throw new Error('broken');
    } finally {
      made.left = true;
    }
  }
  return { made, parts: parts() };
}

describe('a document that is made in parts', () => {
  it('has a length while it is short', async () => {
    const response = await streamedResponse(document(3).parts, {}, false);
    expect(response.headers.get('content-length')).toBe(String(3 * mebibyte.length));
    expect((await response.arrayBuffer()).byteLength).toBe(3 * mebibyte.length);
  });

  it('is an error while it is short', async () => {
    await expect(streamedResponse(document(3, true).parts, {}, false)).rejects.toThrow('broken');
  });

  it('is sent whole, if it is long', async () => {
    const response = await streamedResponse(document(20).parts, {}, false);
    expect(response.headers.get('content-length')).toBeNull();
    expect((await response.arrayBuffer()).byteLength).toBe(20 * mebibyte.length);
  });

  it('breaks off at an error, if it is long', async () => {
    const response = await streamedResponse(document(20, true).parts, {}, false);
    await expect(response.arrayBuffer()).rejects.toThrow('broken');
  });

  it('is made only as fast as its client reads, and no further once the client has left', async () => {
    const { made, parts } = document(1_000);
    const response = await streamedResponse(parts, {}, false);
    await settled();
    expect(made.count).toBeLessThan(8);
    await response.body?.cancel();
    expect(made.left).toBe(true);
  });

  it('is not made to its end for a HEAD', async () => {
    const { made, parts } = document(1_000);
    const response = await streamedResponse(parts, {}, true);
    expect([response.body, made.count < 8, made.left]).toEqual([null, true, true]);
  });
});
