import type { Digest } from '../../converters/digest.ts';
import type { Cache } from '../cache/cache.ts';
import { createLru } from '../cache/lru.ts';
import type { Background } from '../concurrency/background.ts';
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
import { entryOfLayerFacts, type InspectedLayer, layerFactsKey, layerFactsOf } from './layer-info.ts';

/** What a request has beside the layer that it wants to know. */
export interface InspectOptions {
  /** Ends the wait of this request. */
  readonly signal?: AbortSignal | undefined;
  readonly budget?: Budget | undefined;
  /** `background`: no client waits for it, and it gives way to all others. */
  readonly of?: LeaseClass;
}

export interface LayerInspector {
  /** What is remembered of a layer; never reads one. */
  cachedFacts(digest: Digest, budget?: Budget): Promise<InspectedLayer | undefined>;
  /**
   * What is remembered, or else the layer is read: once at a time, for all that ask. Success is shared. A failure is
   * shared by requests of the same repository, and what upstream says of a login by requests of that login alone: any
   * other request goes on in its own right. Callers prove first that they may read the layer.
   * @throws RegistryError as `measure` and `open` do; UPSTREAM_TIMEOUT when nothing comes; the signal's reason.
   */
  facts(digest: Digest, request: LayerRequest, learning?: InspectOptions): Promise<InspectedLayer>;
  /** How far the reading under way is, so that a client can be told when to come back. */
  progress(digest: Digest): LayerProgress | undefined;
  /** A client was told to come back: what is being read of the layer is read on for so many milliseconds. */
  keepFor(digest: Digest, milliseconds: number): void;
}

export interface LayerInspectorOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly cache: Cache;
  /** To read a layer, from `createLayerLeases`: learners that have them in common share connections and memory. */
  readonly leases: LeaseSemaphore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  /** Told when a layer begins to be read (1), and when it is no longer (-1). */
  readonly onReading?: (change: 1 | -1) => void;
  /** How long a reading may stand still. */
  readonly silenceMs?: number;
}

const defaultSilenceMs = 60_000;

/** Beside the cache: they weigh nothing, and to learn them again would cost a whole layer. */
const rememberedFacts = 20_000;

/** @param limit how many layers are read at once. @param silenceMs as learners have it. */
export function createLayerLeases(
  limit: number,
  clock: () => number,
  silenceMs = defaultSilenceMs,
): LeaseSemaphore {
  return createLeaseSemaphore({ limit, staleMs: silenceMs * 1.5, clock });
}

export function createLayerInspector(options: LayerInspectorOptions): LayerInspector {
  const { cache, silenceMs = defaultSilenceMs, onReading, background } = options;
  const memory = createLru<Digest, InspectedLayer>(rememberedFacts);
  /** By digest the one that all join, and beside it those of requests that another's failure has sent on. */
  const readings = new Map<Digest, Map<string, BackgroundRead>>();

  async function known(digest: Digest, budget?: Budget): Promise<InspectedLayer | undefined> {
    const near = memory.get(digest);
    if (near !== undefined) return near;
    const entry = await cache.get(layerFactsKey(digest), budget);
    const facts = entry && layerFactsOf(entry);
    if (facts !== undefined) memory.set(digest, facts);
    return facts;
  }

  async function settle(
    digest: Digest,
    key: string,
    reading: BackgroundRead,
    budget?: Budget,
  ): Promise<void> {
    try {
      const facts = await reading.facts;
      memory.set(digest, facts);
      for (const other of readings.get(digest)?.values() ?? []) if (other !== reading) other.finish(facts);
      await cache.set(layerFactsKey(digest), entryOfLayerFacts(facts), budget);
    } catch {
      // The requests that wait get the error. Without one, it is no request's.
    } finally {
      onReading?.(-1);
      const ofDigest = readings.get(digest);
      if (ofDigest?.get(key) === reading) ofDigest.delete(key);
      if (ofDigest?.size === 0) readings.delete(digest);
    }
  }

  function readingFor(
    digest: Digest,
    key: string,
    request: LayerRequest,
    learning: InspectOptions,
  ): BackgroundRead {
    const ofDigest = readings.get(digest) ?? new Map<string, BackgroundRead>();
    const running = ofDigest.get(key);
    if (running !== undefined && !running.isDead()) return running;
    const { of = 'normal', budget } = learning;
    const reading = startBackgroundRead(digest, request, of, { ...options, silenceMs });
    readings.set(digest, ofDigest.set(key, reading));
    onReading?.(1);
    background(settle(digest, key, reading, budget));
    return reading;
  }

  async function join(
    digest: Digest,
    request: LayerRequest,
    learning: InspectOptions,
  ): Promise<InspectedLayer> {
    const { signal } = learning;
    const reading = readingFor(digest, joined, request, learning);
    const { repository, credential } = request.access;
    const inOwnRight = () =>
      readingFor(digest, `${repository} ${credential}`, request, learning).wait(request, signal);
    const common = reading.wait(request, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (isOwn(error, reading.right(), request)) throw error;
      return inOwnRight();
    });
    const lag = watchLag(reading, request.access);
    try {
      const first = await Promise.race([common, lag.found]);
      return first === 'lags' ? await firstOf(inOwnRight(), common) : first;
    } finally {
      lag.stop();
    }
  }

  return {
    cachedFacts: known,

    async facts(digest, request, learning = {}) {
      learning.signal?.throwIfAborted();
      // Looked up twice: a reading may have ended while the cache was asked.
      const facts = (await known(digest, learning.budget)) ?? memory.get(digest);
      return facts ?? join(digest, request, learning);
    },

    progress(digest) {
      const all = [...(readings.get(digest)?.values() ?? [])].map((each) => each.progress());
      return all.toSorted((one, other) => other.read - one.read)[0];
    },

    keepFor(digest, milliseconds) {
      for (const each of readings.get(digest)?.values() ?? []) each.keepFor(milliseconds);
    },
  };
}

const lagLookMs = 1_000;

/**
 * Tells when a reading lags that asks upstream in another right: upstream may hold one login or one repository back,
 * and no other waits for that.
 */
function watchLag(reading: BackgroundRead, { repository, credential }: LayerAccess) {
  const { promise: found, resolve } = Promise.withResolvers<'lags'>();
  const watch = setInterval(() => {
    const { repository: other, credential: whose } = reading.right();
    if ((other !== repository || whose !== credential) && reading.lags()) resolve('lags');
  }, lagLookMs);
  return { found, stop: () => clearInterval(watch) };
}

/** @returns what comes first; where both fail, the failure in the request's own right. */
async function firstOf(
  own: Promise<InspectedLayer>,
  common: Promise<InspectedLayer>,
): Promise<InspectedLayer> {
  return Promise.any([own, common]).catch(() => own);
}

/** The key of the reading that requests of every right join. */
const joined = '';

/** Whether a reading that another request may have begun has failed for a reason that concerns this request. */
function isOwn(error: unknown, right: LayerAccess, { access: own }: LayerRequest): boolean {
  // The size that this request's own manifest claims judges no other request.
  if (error instanceof RegistryError && error.detail?.fault === 'claim') return true;
  if (right.repository !== own.repository) return false;
  return right.credential === own.credential || !(isCallerSpecific(error) || isSpent(error));
}
