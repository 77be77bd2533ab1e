import type { Digest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { fetchBlob } from '../upstream/api/blobs.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { ApiContext } from '../upstream/request-context.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { createPullStream } from './pull-stream.ts';

/** The length of the longest magic number below, in bytes. */
const magicLength = 6;

/** The length of a header of a tar, and of each block, in bytes. */
const tarBlockLength = 512;

const checksumField = { first: 148, end: 156 } as const;

/**
 * Tells the compression by the magic numbers of gzip (RFC 1952, section 2.3.1) and of zstd and its skippable frames
 * (RFC 8878, section 3.1).
 */
export function compressionOf(bytes: Uint8Array): Exclude<Compression, 'unknown'> {
  if (startsWith(bytes, [0x1f, 0x8b])) return 'gzip';
  if (startsWith(bytes, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd';
  const skippable = startsWith(bytes.subarray(1), [0x2a, 0x4d, 0x18]);
  return skippable && ((bytes[0] ?? 0) & 0xf0) === 0x50 ? 'zstd' : 'none';
}

export interface DetectedCompression {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** The whole stream, from its first byte. */
  readonly compressed: ReadableStream<Uint8Array>;
}

/**
 * Detects the compression of a layer by its first bytes, as Docker and containerd do, because media types are often
 * wrong or do not name the compression.
 * @throws RegistryError UPSTREAM_CONTENT for xz and bzip2. Docker decompresses them and regshift does not; as a plain
 *   tar, the layer would get a wrong diff_id.
 */
export async function detectCompression(
  stream: ReadableStream<Uint8Array>,
  what: string,
): Promise<DetectedCompression> {
  const source = openByteSource(stream, what);
  const { first, chunks } = await readFirst(source, magicLength);
  refuseUnsupported(first, source, what);
  async function* allChunks(): AsyncGenerator<Uint8Array> {
    yield* chunks.splice(0);
    yield* source.chunks();
  }
  return { compression: compressionOf(first), compressed: createPullStream(allChunks(), source.cancel) };
}

/** Reads the first bytes of a layer; fewer where it ends before. @returns them, and the chunks that they came in. */
async function readFirst(
  source: ByteSource,
  wanted: number,
): Promise<{ readonly first: Uint8Array; readonly chunks: Uint8Array[] }> {
  const chunks: Uint8Array[] = [];
  const head = new Uint8Array(wanted);
  let length = 0;
  while (length < wanted) {
    const bytes = await source.read();
    if (bytes === undefined) break;
    chunks.push(bytes);
    head.set(bytes.subarray(0, wanted - length), length);
    length += bytes.length;
  }
  return { first: head.subarray(0, Math.min(length, wanted)), chunks };
}

function refuseUnsupported(first: Uint8Array, source: ByteSource, what: string): void {
  const unsupported = unsupportedCompression(first);
  if (unsupported === undefined) return;
  source.cancel();
  throw corruptLayer(
    'not-readable',
    what,
    `is packed with ${unsupported}; only gzip, zstd and plain tar are read.`,
  );
}

function unsupportedCompression(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  // "BZh" and the block size, '1' to '9'.
  if (startsWith(bytes, [0x42, 0x5a, 0x68]) && /[1-9]/.test(String.fromCharCode(bytes[3] ?? 0)))
    return 'bzip2';
  return undefined;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/**
 * Whether bytes are the first block of a tar: a header with its own checksum (POSIX.1-1988, ustar interchange format),
 * or the zeros that end an empty one. Some old programs add the bytes of the checksum as signed numbers
 * (archive/tar of Go, `block.computeChecksum`), so both sums are right.
 * @param block the first bytes of a layer; more or fewer than `tarBlockLength`.
 */
export function startsTar(block: Uint8Array): boolean {
  if (block.length < tarBlockLength) return false;
  const header = block.subarray(0, tarBlockLength);
  if (header.every((byte) => byte === 0)) return true;
  const field = String.fromCharCode(...header.subarray(checksumField.first, checksumField.end));
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (digits === undefined) return false;
  let unsigned = 0;
  let signed = 0;
  for (const [place, stored] of header.entries()) {
    const byte = place >= checksumField.first && place < checksumField.end ? 0x20 : stored;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = Number.parseInt(digits, 8);
  return stated === unsigned || stated === signed;
}

/** The compression of a layer by its first bytes. */
export interface ProbedLayer {
  readonly compression: Exclude<Compression, 'unknown'>;
  /**
   * Whether the bytes show it. Bytes that are neither gzip nor zstd nor a tar count as a tar, but may be a page of HTML
   * that a registry in trouble sent with the status 200.
   */
  readonly certain: boolean;
}

/** Detects the compression of a layer with a Range request for its first bytes. @throws RegistryError. */
export async function probeLayer(
  client: UpstreamClient,
  repository: RepositoryName,
  digest: Digest,
  context: ApiContext,
): Promise<ProbedLayer> {
  const options = { range: { first: 0, last: tarBlockLength - 1 }, what: 'layer' } as const;
  const { body } = await fetchBlob(client, repository, digest, context, options);
  const what = `layer ${digest} of ${repository}`;
  const source = openByteSource(body, what);
  const { first } = await readFirst(source, tarBlockLength);
  // If the registry ignores Range, the rest of the layer is not read.
  source.cancel();
  refuseUnsupported(first, source, what);
  const compression = compressionOf(first);
  return { compression, certain: compression !== 'none' || startsTar(first) };
}
