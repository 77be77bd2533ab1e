import type { Digest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { Clock } from '../clock.ts';
import { eitherSignal, valueWithin } from '../concurrency/deadline.ts';
import { createLeaseSemaphore, type LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import { isCallerSpecific, isSpent, RegistryError } from '../errors.ts';
import type { Budget } from '../request/budget.ts';
import type { BackgroundRead, BackgroundReadOptions, LayerProgress } from './background-read.ts';
import { createKnownFacts, type KnownFactsOptions } from './layer-facts.ts';
import { createLayerReads, type LayerReadsOptions } from './layer-reads.ts';
import type { LayerAccess, LayerRequest } from './layer-request.ts';
import { FillEnded, type FollowedSpan } from './store/fill.ts';

export interface InspectOptions {
  /** Aborts the wait of this request. */
  readonly signal?: AbortSignal | undefined;
  readonly budget?: Budget | undefined;
  /**
   * `background` if no client waits for the facts. The read then gives way to all others, no request joins it, and it
   * ends with the signal, or after `backgroundQueueMs` without a lease. Default: `normal`.
   */
  readonly leaseClass?: 'normal' | 'background';
}

/** Reads layers to find their facts, and caches the facts. */
export interface LayerInspector {
  /** Returns cached facts; never reads a layer. */
  cachedFacts(digest: Digest, budget?: Budget): Promise<LayerFacts | undefined>;
  /**
   * Returns cached facts, or reads the layer. All requests share one read and its facts. Requests for the same
   * repository share its error, too; only requests with the same credential share an error that depends on the
   * credential. Other requests then read the layer with their own access. Callers check access rights before.
   * @throws RegistryError as `inspectLayer` and `open`; UPSTREAM_TIMEOUT if upstream sends nothing; the signal's reason.
   */
  facts(digest: Digest, request: LayerRequest, inspectOptions?: InspectOptions): Promise<LayerFacts>;
  /**
   * Reads a layer into the store, although its facts may be known. No client waits for it: the read has the class
   * `background`.
   * @throws as `facts`.
   */
  readIntoStore(
    digest: Digest,
    request: LayerRequest,
    inspectOptions: Pick<InspectOptions, 'signal' | 'budget'>,
  ): Promise<LayerFacts>;
  /** Whether a read that a request may join uses the right to another repository. */
  isReadElsewhere(digest: Digest, repository: string): boolean;
  /** The progress of the current read, for the time after which a client should come back. */
  progress(digest: Digest): LayerProgress | undefined;
  /**
   * Joins the read of a layer into the store, or starts it, and reads the decompressed bytes while they are written. The
   * caller knows the layer's facts.
   * @returns undefined if nothing is stored, or the read does not begin within some seconds. The bytes end with
   *   `FillEnded` where the read or the store fails, or the read lags; then the caller reads the layer by itself.
   */
  follow(
    digest: Digest,
    request: LayerRequest,
    span: FollowedSpan,
    left: AbortSignal | undefined,
  ): Promise<AsyncGenerator<Uint8Array> | undefined>;
  /** Continues the current reads of a layer for at least this many milliseconds, because a client comes back later. */
  keepFor(digest: Digest, milliseconds: number): void;
}

/** Inspectors with the same leases, from `createLayerLeases`, share connections and memory. */
export interface LayerInspectorOptions
  extends KnownFactsOptions,
    Omit<LayerReadsOptions, 'known' | 'silenceMs'>,
    Partial<Pick<BackgroundReadOptions, 'silenceMs'>> {}

const defaultSilenceMs = 60_000;

/**
 * The leases for reading layers.
 * @param limit maximum number of layers that are read at once.
 * @param silenceMs as in `LayerInspectorOptions`.
 */
export function createLayerLeases(limit: number, clock: Clock, silenceMs = defaultSilenceMs): LeaseSemaphore {
  return createLeaseSemaphore({ limit, staleMs: silenceMs * 1.5, clock });
}

export function createLayerInspector(options: LayerInspectorOptions): LayerInspector {
  const known = createKnownFacts(options);
  const reads = createLayerReads({ silenceMs: defaultSilenceMs, ...options, known });

  async function join(
    digest: Digest,
    request: LayerRequest,
    inspectOptions: InspectOptions,
  ): Promise<LayerFacts> {
    const { signal, budget } = inspectOptions;
    const reading = reads.shared(digest, request, budget);
    const readWithOwnAccess = () => reads.own(digest, request, budget).wait(request, signal);
    const shared = reading.wait(request, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (concernsRequest(error, reading.access(), request)) throw error;
      return readWithOwnAccess();
    });
    const lag = watchLag(reading, request.access);
    try {
      const first = await Promise.race([shared, lag.found]);
      return first === 'lags' ? await firstOf(readWithOwnAccess(), shared) : first;
    } finally {
      lag.stop();
    }
  }

  const readIntoStore: LayerInspector['readIntoStore'] = (digest, request, { signal, budget }) =>
    reads.inBackground(digest, request, budget).wait(request, signal);

  async function follow(
    digest: Digest,
    request: LayerRequest,
    span: FollowedSpan,
    left: AbortSignal | undefined,
  ): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const ended = new AbortController();
    const signal = eitherSignal(left, ended.signal);
    const reading = reads.shared(digest, request);
    const over = reading.wait(request, signal).then(noFill, noFill);
    const fill = await valueWithin(fillWaitMs, Promise.race([reading.fill(), over]));
    const pieces = await fill?.follow(span, signal);
    if (pieces === undefined) {
      ended.abort();
      return undefined;
    }
    return followed(pieces, reading, request, ended);
  }

  return {
    cachedFacts: known.get,
    follow,
    readIntoStore,

    async facts(digest, request, inspectOptions = {}) {
      inspectOptions.signal?.throwIfAborted();
      // A read may have ended during the cache lookup, so the memory is checked again.
      const facts = (await known.get(digest, inspectOptions.budget)) ?? known.inMemory(digest);
      if (facts !== undefined) return facts;
      const read = inspectOptions.leaseClass === 'background' ? readIntoStore : join;
      return read(digest, request, inspectOptions);
    },

    isReadElsewhere: (digest, repository) =>
      reads.ofClients(digest).some((each) => each.access().repository !== repository),

    progress(digest) {
      const all = reads.ofClients(digest).map((each) => each.progress());
      return all.toSorted((one, other) => other.read - one.read)[0];
    },

    keepFor(digest, milliseconds) {
      for (const each of reads.ofClients(digest)) each.keepFor(milliseconds);
    },
  };
}

const lagLookMs = 1_000;

/**
 * Watches a read that uses other access than the request, and reports when the read lags. Upstream may throttle one
 * credential or one repository, and requests with other access do not wait for that.
 */
function watchLag(reading: BackgroundRead, { repository, credential }: LayerAccess) {
  const { promise: found, resolve } = Promise.withResolvers<'lags'>();
  const watch = setInterval(() => {
    const used = reading.access();
    const isOther = used.repository !== repository || used.credential !== credential;
    if (isOther && reading.lags()) resolve('lags');
  }, lagLookMs);
  return { found, stop: () => clearInterval(watch) };
}

/** How long a follower waits for a read to begin. */
const fillWaitMs = 5_000;

/** A client whose connection broke comes back for the rest. */
const comesBackMs = 30_000;

const noFill = () => undefined;

/** The pieces of a fill, as long as its read does not lag. */
async function* followed(
  pieces: AsyncGenerator<Uint8Array>,
  reading: BackgroundRead,
  { access }: LayerRequest,
  ended: AbortController,
): AsyncGenerator<Uint8Array> {
  const lag = watchLag(reading, access);
  lag.found.then(() => ended.abort(new FillEnded(false)));
  try {
    yield* pieces;
  } finally {
    lag.stop();
    reading.keepFor(comesBackMs);
    ended.abort();
  }
}

/** @returns the first facts. @throws the error of the request's own read if both fail. */
async function firstOf(own: Promise<LayerFacts>, shared: Promise<LayerFacts>): Promise<LayerFacts> {
  return Promise.any([own, shared]).catch(() => own);
}

/**
 * Whether the error of a shared read applies to this request, too.
 * @param access the access that the read has used.
 */
function concernsRequest(error: unknown, access: LayerAccess, { access: own }: LayerRequest): boolean {
  // Each request compares the layer with the size in its own manifest.
  if (error instanceof RegistryError && error.detail?.fault === 'claim') return true;
  if (access.repository !== own.repository) return false;
  return access.credential === own.credential || !(isCallerSpecific(error) || isSpent(error));
}
