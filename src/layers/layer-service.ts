import type { Digest } from '../../converters/digest.ts';
import type { Layer } from '../../converters/model.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import { ownerOf } from '../request/requester.ts';
import { fetchBlob } from '../upstream/api/blobs.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { ApiContext, RequestContext } from '../upstream/request-context.ts';
import type { LayerRequest } from './background-read.ts';
import type { ByteSpan } from './byte-range.ts';
import type { LayerCodec } from './codec.ts';
import type { DecompressedLayer } from './decompressed-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { createLayerDownloads } from './downloads.ts';
import type { LayerInspector } from './inspector.ts';
import { createLayersToRead, type LayersToRead } from './read-progress.ts';

export interface LayerServiceOptions {
  readonly client: UpstreamClient;
  readonly inspector: LayerInspector;
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly deadline: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** No registry and few engines check the size that a manifest says: what is wrong a little is read all the same. */
const tolerance = 1_048_576;

/** Layers of upstream, read for what only reading tells, or sent unpacked. Rights are proved before. */
export interface LayerService {
  /**
   * The facts of layers, for one conversion.
   * @returns throws RegistryError UNSUPPORTED, with when to come back, where a reading outlasts the deadline; or as
   *   `isUnread`.
   */
  readingFor(repository: RepositoryName, context: RequestContext): (layer: Layer) => Promise<LayerFacts>;
  /** The layer unpacked, whole or in part; it errors, and never ends, where it is not what it should be. */
  open(
    repository: RepositoryName,
    layer: DecompressedLayer,
    span: ByteSpan | undefined,
    context: RequestContext,
  ): Promise<ReadableStream<Uint8Array>>;
}

export function createLayerService(options: LayerServiceOptions): LayerService {
  const { client, inspector, deadline } = options;
  const downloads = createLayerDownloads(options);

  async function fetchLayer(repository: RepositoryName, digest: Digest, context: ApiContext, from = 0) {
    const range = from > 0 ? { range: { first: from } } : {};
    const response = await fetchBlob(client, repository, digest, context, range);
    await refuseEncoded(response, `the layer ${digest}`);
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const stream = response.body as ReadableStream<Uint8Array> | null;
    if (!stream)
      throw new RegistryError('UPSTREAM_ANSWER', `Upstream sent the layer ${digest} without a body.`);
    const part = { stream, from: startOf(response) };
    return Number.isSafeInteger(length) ? { ...part, size: length } : part;
  }

  async function facts(
    repository: RepositoryName,
    { digest, size }: Layer,
    layers: LayersToRead,
    context: RequestContext,
  ): Promise<LayerFacts> {
    if (context.knownLayersOnly) return (await inspector.cachedFacts(digest)) ?? unread(digest);
    layers.add(digest, size);
    const request: LayerRequest = {
      open: (signal) => fetchLayer(repository, digest, { ...context, signal }),
      access: { repository, credential: credentialKey(context.credential) },
      // The requester comes before the repository: one that names a hundred repositories has one turn.
      owner: [client.id, ...ownerOf(context.requester()), repository],
      ...(size === undefined ? {} : { maxSize: 2 * size + tolerance }),
    };
    return withDeadline(deadline * 1000, context.signal, async (signal) => {
      try {
        const known = await inspector.facts(digest, request, { signal, budget: context.budget });
        layers.done(digest);
        return known;
      } catch (error) {
        if (!isDeadline(signal)) throw error;
        throw layers.notYet(inspector);
      }
    });
  }

  return {
    readingFor(repository, context) {
      const layers = createLayersToRead();
      return (layer) => facts(repository, layer, layers, context);
    },

    open(repository, layer, span, context) {
      const openCompressed = async (from: number, signal: AbortSignal) => {
        const part = await fetchLayer(repository, layer.compressed, { ...context, signal }, from);
        return { stream: part.stream, from: part.from ?? 0 };
      };
      const { signal } = context;
      return downloads.open({ layer, span, requester: context.requester(), openCompressed, signal });
    },
  };
}

/** Where a part begins that upstream sends: `undefined` for the whole (RFC 9110, section 14.4). */
function startOf({ status, headers }: Response): number | undefined {
  const [, start] = /^bytes (\d{1,15})-/.exec(headers.get('content-range') ?? '') ?? [];
  return status === 206 && start !== undefined ? Number(start) : undefined;
}

const unreadReason = 'LAYER_UNREAD';

/** No ConversionError: an index would go on without the image, and be remembered so. */
function unread(digest: Digest): never {
  throw new RegistryError('UNSUPPORTED', `The layer ${digest} would have to be read first.`, {
    detail: { reason: unreadReason, layer: digest },
  });
}

/** Whether something could not be made because its caller would have no layer read for it. */
export function isNotReadYet(error: unknown): boolean {
  return error instanceof RegistryError && error.detail?.reason === unreadReason;
}
