import { type Digest, digestAlgorithm } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { detectCompression } from './compression.ts';
import { corruptLayer } from './corrupt-layer.ts';
import { decompress } from './decompress.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createDigester, type Digester } from './digester.ts';
import { createPullStream } from './pull-stream.ts';
import type { Fill } from './store/fill.ts';

export interface InspectLayerOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  /** The digest that the compressed bytes must have. */
  readonly digest: Digest;
  /** Called on progress with the number of compressed and decompressed bytes so far. */
  readonly onRead?: (compressed: number, decompressed: number) => void;
  /** Gets the decompressed bytes, which are not kept here. The read goes on after its promise. */
  readonly onContent?: (bytes: Uint8Array) => Promise<void>;
  /** Aborts the read; its reason is then thrown. */
  readonly signal?: AbortSignal;
  /** Begins to store the decompressed bytes. Called for zstd, because clients get only such layers decompressed. */
  readonly openFill?: () => Fill | undefined;
}

/**
 * Reads a whole layer and returns its facts. The content is kept in the store if there is one.
 * @throws RegistryError as the stream of `decompress`; UPSTREAM_CONTENT if the compressed bytes do not have the digest.
 */
export async function inspectLayer(
  compressed: ReadableStream<Uint8Array>,
  options: InspectLayerOptions,
): Promise<LayerFacts> {
  const { codec, limits, digest, onRead, onContent, signal, openFill } = options;
  const what = `layer ${digest}`;
  const compressedDigester = createDigester(codec.hash(digestAlgorithm(digest)));
  let fill: Fill | undefined;
  let contentDigester = createDigester(codec.hash('sha256'));
  const source = openByteSource(compressed, what);
  let cancel = source.cancel;
  const onAbort = () => cancel(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    signal?.throwIfAborted();
    const incoming = createPullStream(
      digested(source, compressedDigester, () => onRead?.(compressedDigester.size, contentDigester.size)),
      source.cancel,
    );
    const detected = await detectCompression(incoming, what);
    const { compression } = detected;
    if (compression === 'zstd') fill = openFill?.();
    contentDigester = fill ?? contentDigester;
    const decompressed = openByteSource(
      decompress(detected.compressed, compression, { codec, limits, what }),
      what,
    );
    cancel = decompressed.cancel;
    for await (const bytes of decompressed.chunks()) {
      await contentDigester.add(bytes);
      await onContent?.(bytes);
      onRead?.(compressedDigester.size, contentDigester.size);
    }
    await verify(compressedDigester, digest, what);
    const content = { digest: await contentDigester.digest(), size: contentDigester.size };
    await fill?.commit(content);
    return {
      compression,
      packedSize: compressedDigester.size,
      size: content.size,
      diffId: content.digest,
    };
  } catch (error) {
    fill?.abort();
    // A cancelled source looks like one that is cut short.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    cancel();
  }
}

async function* digested(
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
