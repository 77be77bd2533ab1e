import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gzip } from '../../../src/sample-registry/gzip.ts';
import { tar } from '../../../src/sample-registry/tar.ts';
import { zstd } from '../../../src/sample-registry/zstd.ts';
import { havePrograms } from '../../support/programs.ts';
import { unzstd } from '../../support/unzstd.ts';

/** Around the limits of a stored deflate block (65535) and of a zstd block (131072). */
const lengths = [0, 1, 65_534, 65_535, 65_536, 131_072, 131_073, 300_000];

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
}

/** Compares bytes. `toEqual` takes a second and prints a page for so many bytes. */
function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

describe('gzip', () => {
  it.each(lengths)('is read back by zlib: %i bytes', (length) => {
    const content = bytesOf(length);
    expect(same(gunzipSync(gzip(content)), content)).toBe(true);
  });
});

describe('zstd', () => {
  const forms = [
    { contentSize: true },
    { contentSize: false },
    { contentSize: true, frames: 4 },
    { contentSize: false, frames: 3, skippable: 'first' },
    { contentSize: true, skippable: 'last' },
  ] as const;
  const cases = forms.flatMap((options) => lengths.map((length) => ({ length, options })));

  it.each(cases)('is read back by libzstd: $length bytes, $options', ({ length, options }) => {
    const content = bytesOf(length);
    expect(same(unzstd(zstd(content, options)), content)).toBe(true);
  });

  it('has the size of its content only if the option is set', () => {
    const content = bytesOf(10);
    const frameHeaderDescriptor = 4;
    expect(zstd(content, { contentSize: true })[frameHeaderDescriptor]).toBe(0b1010_0000);
    expect(zstd(content, { contentSize: false })[frameHeaderDescriptor]).toBe(0);
  });

  it.skipIf(!havePrograms('zstd'))('is read back by the zstd program', () => {
    const content = bytesOf(200_000);
    const compressed = zstd(content, { contentSize: false, frames: 3, skippable: 'first' });
    const { status, stdout } = spawnSync('zstd', ['-dc'], { input: compressed, maxBuffer: 2 ** 20 });
    expect(status).toBe(0);
    expect(same(stdout, content)).toBe(true);
  });
});

describe('tar', () => {
  const content = new TextEncoder().encode('Hello.\n');
  const archive = tar([
    { kind: 'directory', path: 'etc' },
    { kind: 'file', path: 'etc/hello', content },
  ]);

  it('is two headers, one block of content and two of zeros', () => {
    expect(archive.length).toBe(5 * 512);
    expect(archive.subarray(2 * 512, 2 * 512 + content.length)).toEqual(content);
  });

  it.skipIf(!havePrograms('tar'))('is listed by the tar program', () => {
    const { status, stdout, stderr } = spawnSync('tar', ['--utc', '-tvf', '-'], { input: archive });
    expect(String(stderr)).toBe('');
    expect(status).toBe(0);
    expect(String(stdout).trim().split('\n')).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 2016-02-04 00:00 etc\/$/),
      expect.stringMatching(/^-rw-r--r-- 0\/0 +7 2016-02-04 00:00 etc\/hello$/),
    ]);
  });

  it('refuses a path that the header cannot hold', () => {
    expect(() => tar([{ kind: 'directory', path: 'a'.repeat(100) }])).toThrow(RangeError);
  });
});
