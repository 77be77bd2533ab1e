import type { Clock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import { ownerOf, type Requester } from '../request/requester.ts';
import { type ByteSpan, sliceStream } from './byte-range.ts';
import { openByteSource, streamFromSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { detectCompression } from './compression.ts';
import { decompress } from './decompress.ts';
import type { DecompressedLayer } from './decompressed-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createDownload, type Download } from './download.ts';
import { type FramePoint, firstByte } from './download-limits.ts';
import type { Fill } from './store/fill.ts';
import type { Tails } from './tails.ts';
import { verifyingStream } from './verify.ts';

export interface LayerDownloadsOptions {
  /** The registry that has the layers: `UpstreamClient.id`. */
  readonly registry: string;
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly tails: Tails;
  readonly clock: Clock;
}

/** Opens the compressed layer at a byte, with the access of the request. */
export type OpenCompressed = (from: number, signal: AbortSignal) => Promise<CompressedPart>;

export interface CompressedPart {
  readonly stream: ReadableStream<Uint8Array>;
  /** The offset of the stream's first byte: 0 if upstream does not send parts. */
  readonly from: number;
}

export interface DownloadRequest {
  readonly layer: DecompressedLayer;
  readonly span?: ByteSpan | undefined;
  /** Whether a whole layer out of the store is verified once more while it is sent: its client verifies nothing. */
  readonly verifies?: boolean;
  readonly requester: Requester;
  readonly openCompressed: OpenCompressed;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal | undefined;
  /** Begins to store the layer while it is sent. Called for a whole layer. */
  readonly openFill?: (() => Fill | undefined) | undefined;
}

/** Sends decompressed layers to clients. */
export interface LayerDownloads {
  /**
   * Opens a layer, whole or in part.
   * @throws RegistryError OVERLOADED if no memory for the decoder becomes free in time; the error of upstream's response.
   */
  open(request: DownloadRequest): Promise<ReadableStream<Uint8Array>>;
}

/** Maximum size of a tail in `Tails`, in bytes. */
const mostTailBytes = 65_536;

const secondsToRetry = 10;

export function createLayerDownloads({
  registry,
  codec,
  limits,
  tails,
  clock,
}: LayerDownloadsOptions): LayerDownloads {
  const shared = codec.zstd.limits;

  function downloadOf(request: DownloadRequest, waitedMs: number): Download {
    const { layer, span, requester, openCompressed, signal: left } = request;
    const what = `layer ${layer.compressed}`;
    return createDownload({
      async open(point, limitsFrom, signal) {
        const { stream, start } = await partAt(point, openCompressed, signal);
        const download = limitsFrom(start);
        const options = { codec, limits, what, ...(download ? { download } : {}) };
        if (start.compressed > 0) return { stream: decompress(stream, 'zstd', options), start };
        // The first bytes decide, as when the layer was measured: its media type may be wrong.
        const { compression, compressed } = await detectCompression(stream, what);
        return { stream: decompress(compressed, compression, options), start };
      },
      limits: shared,
      owner: ownerOf(requester),
      left,
      firstWanted: span?.start ?? 0,
      patienceMs: Math.max(0, (shared?.patienceMs ?? 0) - waitedMs),
      late: () => tooManyDownloads(what),
      what,
      clock,
    });
  }

  async function begin(request: DownloadRequest, waitedMs = 0): Promise<ReadableStream<Uint8Array>> {
    const { layer, span, openFill } = request;
    const what = `layer ${layer.compressed}`;
    const download = downloadOf(request, waitedMs);
    await download.begin();
    const fill = span ? undefined : openFill?.();
    const whole = verifyingStream(download.stream, layer, { codec, what, fill });
    return span ? sliceStream(whole, span, what) : whole;
  }

  async function readTail(request: DownloadRequest, waitedMs: number): Promise<Uint8Array> {
    const { layer, span } = request;
    const source = openByteSource(await begin(request, waitedMs), `layer ${layer.compressed}`);
    const tail = new Uint8Array(layer.size - (span?.start ?? 0));
    let length = 0;
    for await (const bytes of source.chunks()) {
      tail.set(bytes, length);
      length += bytes.length;
    }
    return tail;
  }

  return {
    async open(request) {
      const { layer, span, signal } = request;
      const isTail = span?.end === layer.size - 1 && layer.size - span.start <= mostTailBytes;
      if (!isTail || shared === undefined) return begin(request);
      const key = [registry, layer.compressed, layer.digest, layer.size, span.start].join(' ');
      const read = (ownSignal: AbortSignal, waitedMs: number) =>
        readTail({ ...request, signal: ownSignal }, waitedMs);
      // A copy: the tail stays in memory for others.
      return streamFromSource((await tails.get(key, read, signal)).slice());
    },
  };
}

/** Opens the layer at a frame. @returns the whole layer if upstream does not send the requested part. */
async function partAt(point: FramePoint, openCompressed: OpenCompressed, signal: AbortSignal) {
  const { stream, from } = await openCompressed(point.compressed, signal);
  if (from === point.compressed) return { stream, start: point };
  if (from === 0) return { stream, start: firstByte };
  await stream.cancel();
  return { stream: (await openCompressed(0, signal)).stream, start: firstByte };
}

function tooManyDownloads(what: string): RegistryError {
  return new RegistryError(
    'OVERLOADED',
    `Cannot decompress ${what} now: other downloads use all the memory for it. Try again in ${secondsToRetry} seconds.`,
    { headers: { 'Retry-After': String(secondsToRetry) } },
  );
}
