import type { Digest } from '../../converters/digest.ts';
import type { Layer } from '../../converters/model.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import { Failure } from '../errors.ts';
import { ownerOf } from '../request/requester.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { refuseEncoded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { failureOf } from '../upstream/error-response.ts';
import type { Caller } from '../upstream/request-context.ts';
import type { LayerRequest } from './background-read.ts';
import type { Span } from './byte-range.ts';
import type { LayerCodec } from './codec.ts';
import type { UnpackedLayer } from './decompressed-layer.ts';
import type { UnpackLimits } from './decompression-limits.ts';
import { createLayerDownloads } from './downloads.ts';
import type { LayerLearner } from './inspector.ts';
import { createLayersToRead, type LayersToRead } from './read-progress.ts';

export interface LayerDeskOptions {
  readonly client: UpstreamClient;
  readonly learner: LayerLearner;
  readonly codec: LayerCodec;
  readonly limits: UnpackLimits;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly deadline: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** No registry and few engines check the size that a manifest says: what is wrong a little is read all the same. */
const tolerance = 1_048_576;

/** Layers of upstream, read for what only reading tells, or sent unpacked. Rights are proved before. */
export interface LayerDesk {
  /**
   * The facts of layers, for one conversion.
   * @returns throws Failure UNSUPPORTED, with when to come back, where a reading outlasts the deadline; or as
   *   `isUnread`.
   */
  readingFor(repository: RepositoryName, caller: Caller): (layer: Layer) => Promise<LayerFacts>;
  /** The layer unpacked, whole or in part; it errors, and never ends, where it is not what it should be. */
  open(
    repository: RepositoryName,
    layer: UnpackedLayer,
    span: Span | undefined,
    caller: Caller,
  ): Promise<ReadableStream<Uint8Array>>;
}

export function createLayerDesk(options: LayerDeskOptions): LayerDesk {
  const { client, learner, deadline } = options;
  const downloads = createLayerDownloads(options);

  async function fetchLayer(
    repository: RepositoryName,
    digest: Digest,
    { credential, signal, budget }: Pick<Caller, 'credential' | 'signal' | 'budget'>,
    from = 0,
  ) {
    const path = `/v2/${repository}/blobs/${digest}`;
    const request = {
      method: 'GET',
      path,
      repository,
      credential,
      budget,
      signal,
      ...(from > 0 ? { headers: { Range: `bytes=${from}-` } } : {}),
    } as const;
    const { response } = await client.request(request);
    if (!response.ok) throw await failureOf(response, `blob ${digest} of ${repository}`, 'BLOB_UNKNOWN');
    await refuseEncoded(response, `the layer ${digest}`);
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const stream = response.body as ReadableStream<Uint8Array> | null;
    if (!stream) throw new Failure('UPSTREAM_ANSWER', `Upstream sent the layer ${digest} without a body.`);
    const part = { stream, from: startOf(response) };
    return Number.isSafeInteger(length) ? { ...part, size: length } : part;
  }

  async function facts(
    repository: RepositoryName,
    { digest, size }: Layer,
    layers: LayersToRead,
    caller: Caller,
  ): Promise<LayerFacts> {
    if (caller.knownLayersOnly) return (await learner.known(digest)) ?? unread(digest);
    layers.add(digest, size);
    const request: LayerRequest = {
      open: (signal) => fetchLayer(repository, digest, { ...caller, signal }),
      right: { repository, credential: credentialKey(caller.credential) },
      // The requester comes before the repository: one that names a hundred repositories has one turn.
      owner: [client.id, ...ownerOf(caller.requester()), repository],
      ...(size === undefined ? {} : { most: 2 * size + tolerance }),
    };
    return withDeadline(deadline * 1000, caller.signal, async (signal) => {
      try {
        const known = await learner.facts(digest, request, { signal, budget: caller.budget });
        layers.done(digest);
        return known;
      } catch (error) {
        if (!isDeadline(signal)) throw error;
        throw layers.notYet(learner);
      }
    });
  }

  return {
    readingFor(repository, caller) {
      const layers = createLayersToRead();
      return (layer) => facts(repository, layer, layers, caller);
    },

    open(repository, layer, span, caller) {
      const openPacked = async (from: number, signal: AbortSignal) => {
        const part = await fetchLayer(repository, layer.packed, { ...caller, signal }, from);
        return { stream: part.stream, from: part.from ?? 0 };
      };
      const { signal } = caller;
      return downloads.open({ layer, span, requester: caller.requester(), openPacked, signal });
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
  throw new Failure('UNSUPPORTED', `The layer ${digest} would have to be read first.`, {
    detail: { reason: unreadReason, layer: digest },
  });
}

/** Whether something could not be made because its caller would have no layer read for it. */
export function isUnread(error: unknown): boolean {
  return error instanceof Failure && error.detail?.reason === unreadReason;
}
