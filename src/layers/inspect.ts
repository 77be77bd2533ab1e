import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { detectCompression } from './compression.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { decompress } from './decompress.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createDigester, type Digester } from './digester.ts';
import type { InspectedLayer } from './layer-info.ts';
import { pulled } from './pulled.ts';

export interface InspectLayerOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  /** What the packed bytes must hash to. */
  readonly digest: Digest;
  /** Told of all progress: bytes so far, as stored and unpacked. */
  readonly onRead?: (compressed: number, decompressed: number) => void;
  /** Ends the reading; its reason is then thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a layer from its first byte to its last, keeps nothing of it, and tells what it is.
 * @throws RegistryError as `unpack`; UPSTREAM_CONTENT when the packed bytes are not what the digest names.
 */
export async function inspectLayer(
  compressed: ReadableStream<Uint8Array>,
  options: InspectLayerOptions,
): Promise<InspectedLayer> {
  const { codec, limits, digest, onRead, signal } = options;
  const what = `layer ${digest}`;
  const outside = createDigester(codec.hash(digestAlgorithm(digest)));
  const inside = createDigester(codec.hash('sha256'));
  const source = openByteSource(compressed, what);
  let giveUp = source.giveUp;
  const onAbort = () => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    signal?.throwIfAborted();
    const arriving = pulled(
      tallied(source, outside, () => onRead?.(outside.size, inside.size)),
      source.giveUp,
    );
    const detected = await detectCompression(arriving, what);
    const { compression } = detected;
    const content = openByteSource(
      decompress(detected.compressed, compression, { codec, limits, what }),
      what,
    );
    giveUp = content.giveUp;
    for await (const bytes of content.chunks()) {
      await inside.add(bytes);
      onRead?.(outside.size, inside.size);
    }
    await verify(outside, digest, what);
    return { compression, packedSize: outside.size, size: inside.size, diffId: await inside.digest() };
  } catch (error) {
    // A source that was given up looks like one cut short.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    giveUp();
  }
}

async function* tallied(
  source: ByteSource,
  digester: Digester,
  onRead: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source.chunks()) {
    await digester.add(bytes);
    onRead();
    yield bytes;
  }
}

async function verify(compressed: Digester, expected: Digest, what: string): Promise<void> {
  const digest = await compressed.digest();
  if (digest === expected) return;
  throw corruptLayer(
    'mismatch',
    what,
    `came with other content: ${digest} (${compressed.size} bytes). Try again.`,
  );
}
