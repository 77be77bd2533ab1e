import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import { openSource, type Source } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { detectCompression } from './compression.ts';
import { broken } from './corrupt-layer.ts';
import { unpack } from './decompress.ts';
import type { UnpackLimits } from './decompression-limits.ts';
import { createTally, type Tally } from './digester.ts';
import type { LayerFacts } from './layer-info.ts';
import { pulled } from './pulled.ts';

export interface MeasureOptions {
  readonly codec: LayerCodec;
  readonly limits: UnpackLimits;
  /** What the packed bytes must hash to. */
  readonly digest: Digest;
  /** Told of all progress: bytes so far, as stored and unpacked. */
  readonly onRead?: (packed: number, unpacked: number) => void;
  /** Ends the reading; its reason is then thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a layer from its first byte to its last, keeps nothing of it, and tells what it is.
 * @throws Failure as `unpack`; UPSTREAM_CONTENT when the packed bytes are not what the digest names.
 */
export async function measure(
  packed: ReadableStream<Uint8Array>,
  options: MeasureOptions,
): Promise<LayerFacts> {
  const { codec, limits, digest, onRead, signal } = options;
  const what = `layer ${digest}`;
  const outside = createTally(codec.hash(digestAlgorithm(digest)));
  const inside = createTally(codec.hash('sha256'));
  const source = openSource(packed, what);
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
    const content = openSource(unpack(detected.packed, compression, { codec, limits, what }), what);
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

async function* tallied(source: Source, tally: Tally, onRead: () => void): AsyncGenerator<Uint8Array> {
  for await (const bytes of source.chunks()) {
    await tally.add(bytes);
    onRead();
    yield bytes;
  }
}

async function verify(packed: Tally, expected: Digest, what: string): Promise<void> {
  const digest = await packed.digest();
  if (digest === expected) return;
  throw broken('mismatch', what, `came with other content: ${digest} (${packed.size} bytes). Try again.`);
}
