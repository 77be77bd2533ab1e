import type { Compression } from '../../converters/media-types.ts';
import { openByteSource } from './byte-stream.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { pulled } from './pulled.ts';

/** As many bytes as the longest magic number below has. */
const magicLength = 6;

/** Magic numbers: gzip (RFC 1952 §2.3.1), zstd and its skippable frames (RFC 8878 §3.1). */
export function compressionOf(bytes: Uint8Array): Exclude<Compression, 'unknown'> {
  if (startsWith(bytes, [0x1f, 0x8b])) return 'gzip';
  if (startsWith(bytes, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd';
  const skippable = startsWith(bytes.subarray(1), [0x2a, 0x4d, 0x18]);
  return skippable && ((bytes[0] ?? 0) & 0xf0) === 0x50 ? 'zstd' : 'none';
}

export interface Detected {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** The same bytes, from the first on. */
  readonly compressed: ReadableStream<Uint8Array>;
}

/**
 * Looks at the first bytes, as Docker and containerd do, for media types are often wrong or say nothing.
 * @throws RegistryError UPSTREAM_CONTENT for xz and bzip2, which Docker unpacks and this program does not: taken for a
 *   plain tar, their diff_id would be a wrong one.
 */
export async function detectCompression(stream: ReadableStream<Uint8Array>, what: string): Promise<Detected> {
  const source = openByteSource(stream, what);
  const seen: Uint8Array[] = [];
  const head = new Uint8Array(magicLength);
  let length = 0;
  while (length < magicLength) {
    const bytes = await source.read();
    if (bytes === undefined) break;
    seen.push(bytes);
    head.set(bytes.subarray(0, magicLength - length), Math.min(length, magicLength));
    length += bytes.length;
  }
  const first = head.subarray(0, Math.min(length, magicLength));
  const foreign = foreignPacking(first);
  if (foreign !== undefined) {
    source.giveUp();
    throw corruptLayer(
      'not-readable',
      what,
      `is packed with ${foreign}; only gzip, zstd and plain tar are read.`,
    );
  }
  async function* fromTheFirst(): AsyncGenerator<Uint8Array> {
    yield* seen.splice(0);
    yield* source.chunks();
  }
  return { compression: compressionOf(first), compressed: pulled(fromTheFirst(), source.giveUp) };
}

function foreignPacking(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  // "BZh" and the size of a block, '1' to '9'.
  if (startsWith(bytes, [0x42, 0x5a, 0x68]) && /[1-9]/.test(String.fromCharCode(bytes[3] ?? 0)))
    return 'bzip2';
  return undefined;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
