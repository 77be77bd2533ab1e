import { eitherSignal } from '../concurrency/deadline.ts';
import { begun, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import type { DownloadRequest, LayerDownloads } from './downloads.ts';
import type { LayerInspector } from './inspector.ts';
import type { LayerRequest } from './layer-request.ts';
import { createPullStream } from './pull-stream.ts';
import { FillEnded, type FollowedSpan } from './store/fill.ts';
import type { LayerStore } from './store/layer-store.ts';
import { verifyingStream } from './verify.ts';

export interface StoredLayersOptions {
  readonly store: LayerStore;
  readonly inspector: Pick<LayerInspector, 'follow'>;
  readonly downloads: LayerDownloads;
  readonly codec: Pick<LayerCodec, 'hash'>;
}

/**
 * Decompressed layers out of a store: stored ones as they are; others from the read that fills the store, which all
 * clients share, each at its own pace; and by a decompression of their own where the store does not help.
 * @param read opens the whole compressed layer, for the shared read.
 */
export interface StoredLayers {
  open(request: DownloadRequest, read: LayerRequest): Promise<ReadableStream<Uint8Array>>;
}

export function createStoredLayers({
  store,
  inspector,
  downloads,
  codec,
}: StoredLayersOptions): StoredLayers {
  async function follow(
    request: DownloadRequest,
    read: LayerRequest,
  ): Promise<ReadableStream<Uint8Array> | 'stored' | undefined> {
    const { layer, span } = request;
    const left = new AbortController();
    const signal = eitherSignal(request.signal, left.signal);
    const part = { start: span?.start ?? 0, stop: (span?.end ?? layer.size - 1) + 1, blob: layer };
    const right = await store.follow(part, signal);
    const followed = right ?? (await followRead(layer, part, read, signal));
    if (followed === undefined || followed === 'stored') return followed;
    const what = `layer ${layer.compressed}`;
    const stream = createPullStream(
      withFallback(followed, { ...request, signal }, right !== undefined),
      (reason) => {
        left.abort(reason);
        followed.return(undefined).catch(() => undefined);
      },
    );
    // The first chunk shows whether upstream sends the layer, so that its error is a response.
    return begun(span || right ? stream : verifyingStream(stream, layer, { codec, what }), what);
  }

  /** @returns `stored` if the blob may have been stored while this request waited. */
  async function followRead(
    { compressed }: DownloadRequest['layer'],
    part: FollowedSpan,
    read: LayerRequest,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<Uint8Array> | 'stored' | undefined> {
    if (!store.readsBack || !store.takes(part.blob.size)) return undefined;
    if ((await store.has(part.blob.digest)) !== undefined) return 'stored';
    return (await inspector.follow(compressed, read, part, signal)) ?? 'stored';
  }

  /**
   * Bytes of the store, and the rest from upstream where the store ends early. A part of bytes that are not verified yet
   * continues only from its start: a client that joins parts may not verify them.
   */
  async function* withFallback(
    pieces: AsyncGenerator<Uint8Array>,
    request: DownloadRequest,
    isVerified: boolean,
  ): AsyncGenerator<Uint8Array> {
    const { layer, span, signal } = request;
    const { start, end } = span ?? { start: 0, end: layer.size - 1 };
    const what = `layer ${layer.compressed}`;
    let at = start;
    try {
      for await (const bytes of pieces) {
        at += bytes.length;
        yield bytes;
      }
    } catch (error) {
      if (signal?.aborted || !(isVerified || error instanceof FillEnded)) throw error;
      if (error instanceof FillEnded && error.isWrong) {
        throw corruptLayer('mismatch', what, `should unpack to ${layer.digest}. Try again.`);
      }
      if (!isVerified && span && at > start) throw error;
      if (at > end) return;
      const rest = await downloads.open(at > 0 ? { ...request, span: { start: at, end } } : request);
      yield* openByteSource(rest, what).chunks();
    }
  }

  /** A file is sent as it is. The connection to a bucket may break, which is no end of the response. */
  function lasting(stored: ReadableStream<Uint8Array>, request: DownloadRequest): ReadableStream<Uint8Array> {
    if (store.readsBack) return stored;
    const source = openByteSource(stored, `layer ${request.layer.compressed}`);
    return createPullStream(withFallback(source.chunks(), request, true), source.cancel);
  }

  function send(stored: ReadableStream<Uint8Array>, request: DownloadRequest): ReadableStream<Uint8Array> {
    const stream = lasting(stored, request);
    const verifies = request.verifies || store.isInDoubt(request.layer.digest);
    return verifies && !request.span ? store.verify(stream, request.layer) : stream;
  }

  return {
    async open(request, read) {
      const { layer, span } = request;
      const stored = await store.open(layer, span);
      if (stored) return send(stored, request);
      const followed = await follow(request, read);
      if (followed !== undefined && followed !== 'stored') return followed;
      const filled = followed && (await store.open(layer, span));
      if (filled) return send(filled, request);
      return downloads.open({ ...request, openFill: () => store.fill(layer) });
    },
  };
}
