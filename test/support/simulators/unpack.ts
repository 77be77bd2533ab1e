import { gunzipSync } from 'node:zlib';
import { unzstd } from '../unzstd.ts';

const startsWith = (bytes: Uint8Array, ...magic: readonly number[]) =>
  magic.every((byte, index) => bytes[index] === byte);

/** Decompresses a layer. @throws Error for zstd when the client does not know it. */
export function decompressLayer(layer: Uint8Array, knowsZstd: boolean): Uint8Array {
  if (startsWith(layer, 0x1f, 0x8b)) return new Uint8Array(gunzipSync(layer));
  if (!startsWith(layer, 0x28, 0xb5, 0x2f, 0xfd)) return layer;
  if (knowsZstd) return new Uint8Array(unzstd(layer));
  throw new Error('archive/tar: invalid tar header');
}

/** Whether a tar has files: an empty tar is all zeros. */
export function holdsFiles(tar: Uint8Array): boolean {
  return tar.some((byte) => byte !== 0);
}
