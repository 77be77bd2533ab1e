import { gunzipSync } from 'node:zlib';
import { unzstd } from '../unzstd.ts';

const startsWith = (bytes: Uint8Array, ...magic: readonly number[]) =>
  magic.every((byte, index) => bytes[index] === byte);

/** A layer as the tar that it holds. @throws Error for zstd where the client does not know it. */
export function decompressLayer(layer: Uint8Array, knowsZstd: boolean): Uint8Array {
  if (startsWith(layer, 0x1f, 0x8b)) return new Uint8Array(gunzipSync(layer));
  if (!startsWith(layer, 0x28, 0xb5, 0x2f, 0xfd)) return layer;
  if (knowsZstd) return new Uint8Array(unzstd(layer));
  throw new Error('archive/tar: invalid tar header');
}

/** A tar of nothing is all zeros. */
export function holdsFiles(tar: Uint8Array): boolean {
  return tar.some((byte) => byte !== 0);
}
