import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startsTar } from '../../../src/layers/compression.ts';
import { temporaryFolder } from '../../support/cli.ts';

const block = 512;

/** A tar with one file, made by GNU tar. */
function realTar(format: string, name = 'file.txt'): Uint8Array {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), 'content');
  return new Uint8Array(
    execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', '-', name], { timeout: 10_000 }),
  );
}

/** The header with the sum of its bytes as signed numbers, as old programs wrote it. */
function withSignedSum(tar: Uint8Array): Uint8Array {
  const header = tar.slice(0, block);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return header;
}

describe('the first block of a tar', () => {
  it.each(['v7', 'oldgnu', 'gnu', 'ustar', 'pax'])('is known in the format %s', (format) => {
    expect(startsTar(realTar(format))).toBe(true);
  });

  it('is known with the sum of signed bytes', () => {
    const header = withSignedSum(realTar('ustar', 'é.txt'));
    expect(header).not.toEqual(realTar('ustar', 'é.txt').slice(0, block));
    expect(startsTar(header)).toBe(true);
  });

  it('is known where the tar is empty', () => {
    expect(startsTar(new Uint8Array(2 * block))).toBe(true);
  });

  it.each([
    ['a page of HTML', () => new TextEncoder().encode('<html>maintenance</html>'.repeat(40))],
    ['text of one octal number', () => new TextEncoder().encode('7'.repeat(block))],
    ['no bytes', () => new Uint8Array()],
    ['half a header', () => realTar('ustar').subarray(0, 300)],
    [
      'a header with a changed byte',
      () => realTar('ustar').map((byte, place) => (place === 3 ? byte + 1 : byte)),
    ],
  ])('is not %s', (_, bytes) => {
    expect(startsTar(bytes())).toBe(false);
  });
});
