import { zstdDecompressSync } from 'node:zlib';

/**
 * Decompresses all zstd frames. Node's own function (24.21) stops silently after the first frame or a skippable one
 * (nodejs/node#64741), so this calls it until all input is used.
 */
export function unzstd(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    // The types lack `info`, which all functions of node:zlib take.
    const options = { info: true } as object;
    const decompressed: unknown = zstdDecompressSync(bytes.subarray(at), options);
    const { buffer, engine } = decompressed as { buffer: Uint8Array; engine: { bytesWritten: number } };
    if (engine.bytesWritten === 0) throw new Error(`No frame of zstd at byte ${at}`);
    parts.push(buffer);
    at += engine.bytesWritten;
  }
  return Buffer.concat(parts);
}
