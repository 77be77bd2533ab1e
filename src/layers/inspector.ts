import type { Digest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { Cache } from '../cache/cache.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { eitherSignal, valueWithin } from '../concurrency/deadline.ts';
import {
  createLeaseSemaphore,
  type LeaseClass,
  type LeaseSemaphore,
} from '../concurrency/lease-semaphore.ts';
import { isCallerSpecific, isSpent, RegistryError } from '../errors.ts';
import type { Budget } from '../request/budget.ts';
import {
  type BackgroundRead,
  type LayerAccess,
  type LayerProgress,
  type LayerRequest,
  startBackgroundRead,
} from './background-read.ts';
import type { LayerCodec } from './codec.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { layerFactsFromEntry, layerFactsKey, layerFactsToEntry } from './layer-facts.ts';
import { FillEnded, type FollowedSpan } from './store/fill.ts';
import type { LayerStore } from './store/layer-store.ts';

export interface InspectOptions {
  /** Aborts the wait of this request. */
  readonly signal?: AbortSignal | undefined;
  readonly budget?: Budget | undefined;
  /**
   * `background` if no client waits for the facts. The read then gives way to all others, no request joins it, and it
   * ends with the signal, or after `backgroundQueueMs` without a lease. Default: `normal`.
   */
  readonly leaseClass?: LeaseClass;
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
  ): Promise<void>;
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

export interface LayerInspectorOptions {
  /** The registry that has the layers: `UpstreamClient.id`. */
  readonly registry: string;
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly cache: Cache;
  readonly memory: MemoryBudget;
  /** The leases for reads, from `createLayerLeases`. Inspectors with the same leases share connections and memory. */
  readonly leases: LeaseSemaphore;
  readonly clock: Clock;
  readonly background: Background;
  /** Called when a read starts (1) and when it ends (-1). */
  readonly onReading?: (change: 1 | -1) => void;
  /** Maximum time without a byte, in milliseconds. */
  readonly silenceMs?: number;
  /** Gets the layers that are read decompressed. Absent without a store that names blobs at their end. */
  readonly store?: LayerStore | undefined;
}

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
  const { registry, cache, silenceMs = defaultSilenceMs, onReading, background } = options;
  const remembered = options.memory.table<LayerFacts>('layer-facts');
  /** By digest and access: the shared read, and separate reads of requests that continue after its error. */
  const reads = new Map<Digest, Map<string, BackgroundRead>>();

  async function cachedFacts(digest: Digest, budget?: Budget): Promise<LayerFacts | undefined> {
    const known = remembered.get(digest);
    if (known !== undefined) return known;
    const entry = await cache.get(layerFactsKey(registry, digest), budget);
    const facts = entry && layerFactsFromEntry(entry);
    if (facts !== undefined) remembered.set(digest, facts);
    return facts;
  }

  function readsForClients(digest: Digest): readonly BackgroundRead[] {
    const ofDigest = [...(reads.get(digest) ?? [])];
    return ofDigest.flatMap(([key, each]) => (key.startsWith(backgroundKey) ? [] : [each]));
  }

  async function settle(
    digest: Digest,
    key: string,
    reading: BackgroundRead,
    budget?: Budget,
  ): Promise<void> {
    try {
      const facts = await reading.facts;
      remembered.set(digest, facts);
      for (const other of reads.get(digest)?.values() ?? []) if (other !== reading) other.finish(facts);
      await cache.set(layerFactsKey(registry, digest), layerFactsToEntry(facts), budget);
    } catch {
      // Waiting requests get the error from `reading.facts`.
    } finally {
      onReading?.(-1);
      const ofDigest = reads.get(digest);
      if (ofDigest?.get(key) === reading) ofDigest.delete(key);
      if (ofDigest?.size === 0) reads.delete(digest);
    }
  }

  function readingFor(
    digest: Digest,
    key: string,
    request: LayerRequest,
    inspectOptions: InspectOptions,
  ): BackgroundRead {
    const ofDigest = reads.get(digest) ?? new Map<string, BackgroundRead>();
    const running = ofDigest.get(key);
    if (running !== undefined && !running.isDead()) return running;
    const { leaseClass = 'normal', budget } = inspectOptions;
    const reading = startBackgroundRead(digest, request, leaseClass, { ...options, silenceMs });
    reads.set(digest, ofDigest.set(key, reading));
    onReading?.(1);
    background(settle(digest, key, reading, budget));
    return reading;
  }

  async function join(
    digest: Digest,
    request: LayerRequest,
    inspectOptions: InspectOptions,
  ): Promise<LayerFacts> {
    const { signal } = inspectOptions;
    const reading = readingFor(digest, sharedKey, request, inspectOptions);
    const { repository, credential } = request.access;
    const readWithOwnAccess = () =>
      readingFor(digest, `${repository} ${credential}`, request, inspectOptions).wait(request, signal);
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

  /** Reads with the access of this request alone, which no client's request prolongs. */
  async function readAlone(
    digest: Digest,
    request: LayerRequest,
    { signal, budget }: InspectOptions,
  ): Promise<LayerFacts> {
    const { repository, credential } = request.access;
    const key = `${backgroundKey}${repository} ${credential}`;
    return readingFor(digest, key, request, { leaseClass: 'background', budget }).wait(request, signal);
  }

  async function follow(
    digest: Digest,
    request: LayerRequest,
    span: FollowedSpan,
    left: AbortSignal | undefined,
  ): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const ended = new AbortController();
    const signal = eitherSignal(left, ended.signal);
    const reading = readingFor(digest, sharedKey, request, {});
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
    cachedFacts,
    follow,

    async readIntoStore(digest, request, inspectOptions) {
      await readAlone(digest, request, inspectOptions);
    },

    async facts(digest, request, inspectOptions = {}) {
      inspectOptions.signal?.throwIfAborted();
      // A read may have ended during the cache lookup, so the memory is checked again.
      const facts = (await cachedFacts(digest, inspectOptions.budget)) ?? remembered.get(digest);
      if (facts !== undefined) return facts;
      const read = inspectOptions.leaseClass === 'background' ? readAlone : join;
      return read(digest, request, inspectOptions);
    },

    isReadElsewhere: (digest, repository) =>
      readsForClients(digest).some((each) => each.access().repository !== repository),

    progress(digest) {
      const all = readsForClients(digest).map((each) => each.progress());
      return all.toSorted((one, other) => other.read - one.read)[0];
    },

    keepFor(digest, milliseconds) {
      for (const each of readsForClients(digest)) each.keepFor(milliseconds);
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
    const { repository: otherRepository, credential: otherCredential } = reading.access();
    if ((otherRepository !== repository || otherCredential !== credential) && reading.lags()) resolve('lags');
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

/** The key of the read that requests with any access share. */
const sharedKey = '';

/** The beginning of the key of a read that no client waits for. No name of a repository begins so. */
const backgroundKey = '-background ';

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
