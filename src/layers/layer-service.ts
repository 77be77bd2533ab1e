import type { Digest } from '../../converters/digest.ts';
import type { Layer } from '../../converters/model.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { Clock } from '../clock.ts';
import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import type { LeaseClass } from '../concurrency/lease-semaphore.ts';
import { ignoring, isDecided, isUpstreamFailing, RegistryError } from '../errors.ts';
import { ownerOf } from '../request/requester.ts';
import { type FetchedBlob, fetchBlob, type GetBlobOptions } from '../upstream/api/blobs.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { contentLength } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { ApiContext, RequestContext } from '../upstream/request-context.ts';
import type { LayerRequest } from './background-read.ts';
import { begun } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import type { DecompressedLayer } from './decompressed-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createLayerDownloads, type DownloadRequest } from './downloads.ts';
import type { LayerInspector } from './inspector.ts';
import type { LayerMembers } from './layer-members.ts';
import { createLayersToRead, type LayersToRead } from './read-progress.ts';
import type { LayerStore } from './store/layer-store.ts';
import { createStoredLayers } from './stored-layers.ts';
import type { Tails } from './tails.ts';
import { verifyingStream } from './verify.ts';

export interface LayerServiceOptions {
  readonly client: UpstreamClient;
  readonly inspector: LayerInspector;
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly tails: Tails;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly deadline: number;
  readonly clock: Clock;
  readonly members: LayerMembers;
  readonly store: LayerStore | undefined;
  /** Stores the blobs of upstream that clients get as they are, too. */
  readonly keepsBlobs: boolean;
}

/**
 * Bytes beyond twice the manifest's size that a layer may have. Registries do not check the size in a manifest, and few
 * container engines do, so a slightly wrong size is accepted.
 */
const tolerance = 1_048_576;

/** The part of a layer, and whether its bytes are verified, as in `DownloadRequest`. By default, a whole layer is opened. */
export type OpenLayerOptions = Partial<Pick<DownloadRequest, 'span' | 'verifies'>>;

/** Reads layers from upstream for their facts, and decompresses layers for clients. Callers check access rights before. */
export interface LayerService {
  /**
   * Starts to read the layers of one conversion.
   * @returns a function that returns the facts of a layer. It throws RegistryError UNSUPPORTED with the time to pull
   *   again if a read outlasts the deadline, and the error of `isNotReadYet` if the context allows known layers only.
   *   In the background there is no deadline but the signal's, and one layer is read after the other.
   */
  readingFor(repository: RepositoryName, context: RequestContext): (layer: Layer) => Promise<LayerFacts>;
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
   * @param manifestSize bytes of the blob by its manifest, which count if upstream sends no length.
   * @throws RegistryError as `fetchBlob`.
   */
  openStored(
    repository: RepositoryName,
    digest: Digest,
    manifestSize: number | undefined,
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
  const { client, inspector, codec, deadline, members } = options;
  const downloads = createLayerDownloads({ ...options, registry: client.id });
  const stored = options.store && createStoredLayers({ ...options, store: options.store, downloads });
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

  async function facts(
    repository: RepositoryName,
    { digest, size }: Layer,
    layers: LayersToRead,
    context: RequestContext,
  ): Promise<LayerFacts> {
    if (context.knownLayersOnly) {
      const known = (await inspector.cachedFacts(digest)) ?? unread(`layer ${digest}`);
      // For a viewer, a layer of another repository is one that nobody has read.
      await members.prove(repository, digest, context).catch((error: unknown) => {
        if (isDecided(error)) unread(`layer ${digest}`);
        throw error;
      });
      return known;
    }
    // The time that the read of another repository still takes is a fact of that repository, too.
    if (inspector.isReadElsewhere(digest, repository)) await members.prove(repository, digest, context);
    layers.add(digest, size);
    const request: LayerRequest = {
      ...readOf(repository, digest, context),
      ...(size === undefined ? {} : { maxSize: 2 * size + tolerance }),
    };
    const { budget } = context;
    const proven = async (signal: AbortSignal | undefined, leaseClass: LeaseClass) => {
      const known = await inspector.facts(digest, request, { signal, budget, leaseClass });
      await members.prove(repository, digest, { ...context, signal });
      return known;
    };
    if (context.inBackground) return proven(context.signal, 'background');
    return withDeadline(deadline * 1000, context.signal, async (signal) => {
      try {
        const known = await proven(signal, 'normal');
        layers.done(digest);
        return known;
      } catch (error) {
        if (!isDeadline(signal)) throw error;
        throw layers.notYet(inspector);
      }
    });
  }

  async function proveLayer(
    repository: RepositoryName,
    compressed: Digest,
    context: RequestContext,
  ): Promise<void> {
    await members.prove(repository, compressed, context).catch(ignoring(isUpstreamFailing));
  }

  return {
    readingFor(repository, context) {
      const layers = createLayersToRead();
      if (!context.inBackground) return (layer) => facts(repository, layer, layers, context);
      let before: Promise<unknown> = Promise.resolve();
      return (layer) => {
        // Reads that wait for each other here need no place in the queue of all reads.
        const read = before.then(() => facts(repository, layer, layers, context));
        before = read.catch(() => undefined);
        return read;
      };
    },

    proveLayer,

    async open(repository, layer, context, options = {}) {
      // A store, and the last bytes in memory, answer without upstream.
      if (stored || options.span) await proveLayer(repository, layer.compressed, context);
      const request = { ...downloadOf(repository, layer, context), ...options };
      if (stored === undefined) return downloads.open(request);
      const read = readOf(repository, layer.compressed, context);
      return stored.open(request, { ...read, decompressedSize: layer.size });
    },

    async readIntoStore(repository, layer, context) {
      const { store } = options;
      if (store?.namesAtEnd) {
        const read = readOf(repository, layer.compressed, context);
        return inspector.readIntoStore(layer.compressed, { ...read, decompressedSize: layer.size }, context);
      }
      // A store that needs the digest first is one of Workers, where no download waits for another.
      const request = downloadOf(repository, layer, context);
      const stream = await downloads.open({ ...request, openFill: () => store?.fill(layer) });
      await readToEnd(stream, context.signal);
    },

    async openStored(repository, digest, manifestSize, context) {
      const { body, headers, anonymous } = await fetchBlob(client, repository, digest, context);
      const size = contentLength({ headers }) ?? manifestSize;
      const what = `blob ${digest}`;
      const isKept = options.keepsBlobs && size !== undefined;
      const fill = isKept ? options.store?.fill({ digest, size }) : undefined;
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

const unreadReason = 'LAYER_UNREAD';

/**
 * The error for content that is not cached, where the context allows no read. It is no ConversionError: otherwise an
 * index would be converted, and cached, without the image.
 * @param what like `layer sha256:…`.
 */
export function unread(what: string): never {
  throw new RegistryError('UNSUPPORTED', `The ${what} would have to be read first.`, {
    detail: { reason: unreadReason },
  });
}

/** Whether a conversion has failed because content is not cached and the context allows no read (`unread`). */
export function isNotReadYet(error: unknown): boolean {
  return error instanceof RegistryError && error.detail?.reason === unreadReason;
}
