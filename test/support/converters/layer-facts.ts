import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { digestOf, type LayerFacts } from '../../../converters/index.ts';

/** Measures a layer with the decompressors of Node, independently of regshift's. */
export function layerFactsOf(compressed: Uint8Array): LayerFacts {
  const compression = compressionOf(compressed);
  const decompressed = decompress(compressed, compression);
  return {
    compression,
    packedSize: compressed.length,
    size: decompressed.length,
    diffId: digestOf(decompressed),
  };
}

function compressionOf(bytes: Uint8Array): LayerFacts['compression'] {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return bytes[0] === 0x28 && bytes[1] === 0xb5 ? 'zstd' : 'none';
}

function decompress(bytes: Uint8Array, compression: LayerFacts['compression']): Uint8Array {
  if (compression === 'gzip') return gunzipSync(bytes);
  return compression === 'zstd' ? zstdDecompressSync(bytes) : bytes;
}
