import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { Clock } from '../clock.ts';
import { ignoring, isUpstreamFailing } from '../errors.ts';
import { ownerOf } from '../request/requester.ts';
import { type FetchedBlob, fetchBlob, type GetBlobOptions } from '../upstream/api/blobs.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { contentLength } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { ApiContext, RequestContext } from '../upstream/request-context.ts';
import { begun } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { type ConversionReadsOptions, createConversionReads, type ReadingFor } from './conversion-reads.ts';
import type { DecompressedLayer } from './decompressed-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createLayerDownloads, type DownloadRequest } from './downloads.ts';
import type { LayerMembers } from './layer-members.ts';
import type { LayerRequest } from './layer-request.ts';
import type { LayerStore } from './store/layer-store.ts';
import { createStoredLayers } from './stored-layers.ts';
import type { Tails } from './tails.ts';
import { type ExpectedContent, verifyingStream } from './verify.ts';

export interface LayerServiceOptions extends Omit<ConversionReadsOptions, 'requestFor'> {
  readonly client: UpstreamClient;
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly tails: Tails;
  readonly clock: Clock;
  readonly members: LayerMembers;
  readonly store: LayerStore | undefined;
  /** Stores the blobs of upstream that clients get as they are, too. */
  readonly keepsBlobs: boolean;
}

/** The part of a layer, and whether its bytes are verified, as in `DownloadRequest`. By default, a whole layer is opened. */
export type OpenLayerOptions = Partial<Pick<DownloadRequest, 'span' | 'verifies'>>;

/** Reads layers from upstream for their facts, and decompresses layers for clients. Callers check access rights before. */
export interface LayerService {
  readonly readingFor: ReadingFor;
  /**
   * Opens the decompressed layer, whole or in part.
   * @returns a stream that errors if the content does not match the layer's digest and size. Bytes of the store were
   *   verified when they were written, and are verified again only with `verifies`.
   */
  open(
    repository: RepositoryName,
    layer: DecompressedLayer,
    context: RequestContext,
    options?: OpenLayerOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  /**
   * Proves that upstream still has a layer in a repository. A conversion has proved it before, so a registry that fails
   * does not count.
   * @throws RegistryError as upstream refuses.
   */
  proveLayer(repository: RepositoryName, compressed: Digest, context: RequestContext): Promise<void>;
  /**
   * Reads a layer for the store alone. The read gives way to all reads that a client waits for.
   * @throws RegistryError; the signal's reason; an error named `AbortError` if the read gets no turn in 30 s.
   */
  readIntoStore(repository: RepositoryName, layer: DecompressedLayer, context: RequestContext): Promise<void>;
  /**
   * Opens a stored blob for a client that verifies nothing.
   * @param blob with its size by a manifest, which counts if upstream sends no length.
   * @throws RegistryError as `fetchBlob`.
   */
  openStored(
    repository: RepositoryName,
    blob: ExpectedContent,
    context: RequestContext,
  ): Promise<VerifiedBlob>;
}

/** A stored blob as a stream that errors, and never closes, if the bytes do not match the digest or `size`. */
export interface VerifiedBlob extends Pick<FetchedBlob, 'headers' | 'anonymous'> {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes of the stream. */
  readonly size: number | undefined;
}

export function createLayerService(options: LayerServiceOptions): LayerService {
  const { client, inspector, codec, members, store } = options;
  const downloads = createLayerDownloads({ ...options, registry: client.id });
  const stored = store && createStoredLayers({ ...options, store, downloads });

  async function fetchLayer(
    repository: RepositoryName,
    digest: Digest,
    context: ApiContext,
    options: Pick<GetBlobOptions, 'range' | 'onSkipped'> = {},
  ) {
    const { body, from, headers } = await members.during(repository, digest, () =>
      fetchBlob(client, repository, digest, context, { ...options, what: 'layer' }),
    );
    const size = contentLength({ headers });
    return { stream: body, from, ...(size === undefined ? {} : { size }) };
  }

  function readOf(repository: RepositoryName, digest: Digest, context: RequestContext): LayerRequest {
    return {
      open: (signal, onSkipped) => fetchLayer(repository, digest, { ...context, signal }, { onSkipped }),
      access: { repository, credential: credentialKey(context.credential) },
      // The requester precedes the repository, so that a client with a hundred repositories has one fair share.
      owner: [client.id, ...ownerOf(context.requester()), repository],
    };
  }

  function wholeReadOf(
    repository: RepositoryName,
    { compressed, size }: DecompressedLayer,
    context: RequestContext,
  ): LayerRequest {
    return { ...readOf(repository, compressed, context), decompressedSize: size };
  }

  function downloadOf(
    repository: RepositoryName,
    layer: DecompressedLayer,
    context: RequestContext,
  ): DownloadRequest {
    const openCompressed = (from: number, signal: AbortSignal) => {
      const range = from > 0 ? { range: { first: from } } : {};
      return fetchLayer(repository, layer.compressed, { ...context, signal }, range);
    };
    return { layer, requester: context.requester(), openCompressed, signal: context.signal };
  }

  async function proveLayer(
    repository: RepositoryName,
    compressed: Digest,
    context: RequestContext,
  ): Promise<void> {
    await members.prove(repository, compressed, context).catch(ignoring(isUpstreamFailing));
  }

  return {
    readingFor: createConversionReads({ ...options, requestFor: readOf }),
    proveLayer,

    async open(repository, layer, context, options = {}) {
      // A store, and the last bytes in memory, answer without upstream.
      if (stored || options.span) await proveLayer(repository, layer.compressed, context);
      const request = { ...downloadOf(repository, layer, context), ...options };
      if (stored === undefined) return downloads.open(request);
      return stored.open(request, wholeReadOf(repository, layer, context));
    },

    async readIntoStore(repository, layer, context) {
      if (store?.namesAtEnd) {
        await inspector.readIntoStore(layer.compressed, wholeReadOf(repository, layer, context), context);
        return;
      }
      // A store that needs the digest first is one of Workers, where no download waits for another.
      const request = downloadOf(repository, layer, context);
      const stream = await downloads.open({ ...request, openFill: () => store?.fill(layer) });
      await readToEnd(stream, context.signal);
    },

    async openStored(repository, { digest, size: stated }, context) {
      const { body, headers, anonymous } = await fetchBlob(client, repository, digest, context);
      const size = contentLength({ headers }) ?? stated;
      const what = `blob ${digest}`;
      const isKept = options.keepsBlobs && size !== undefined;
      const fill = isKept ? store?.fill({ digest, size }) : undefined;
      const verified = verifyingStream(body, { digest, size }, { codec, what, relation: 'should be', fill });
      // An empty body has no end that could be held back, and a short one gets an error in place of a broken response.
      return { stream: await begun(verified, what), size, headers, anonymous };
    },
  };
}

async function readToEnd(stream: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
  const reader = stream.getReader();
  for (;;) {
    if (signal?.aborted) await reader.cancel(signal.reason);
    signal?.throwIfAborted();
    const { done } = await reader.read();
    if (done) return;
  }
}
