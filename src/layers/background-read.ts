import type { Digest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { Clock } from '../clock.ts';
import type { Patience } from '../concurrency/deadline.ts';
import type { Lease, LeaseClass, LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { LayerCodec } from './codec.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { inspectLayer } from './inspect.ts';
import type { LayerAccess, LayerRequest } from './layer-request.ts';
import { createReadLeases } from './read-leases.ts';
import { createPaceWatch, Suspended } from './read-pace.ts';
import { createSpeedometer } from './read-speed.ts';
import { createReadWaiters } from './read-waiters.ts';
import type { Fill } from './store/fill.ts';
import type { LayerStore } from './store/layer-store.ts';

export interface LayerProgress {
  /** Compressed bytes read. */
  readonly read: number;
  /** The compressed size of the layer, if upstream has sent it. */
  readonly total: number | undefined;
  /** The expected time until the read has its lease, in milliseconds; 0 once it has started. */
  readonly waitMs: number;
  /** Compressed bytes per millisecond in the last seconds; 0 if none came. */
  readonly speed: number;
}

/** The read of one layer, which several requests wait for. */
export interface BackgroundRead {
  /** The access that the read uses: that of the request that started the read, or of a request that still waits. */
  readonly access: () => LayerAccess;
  readonly facts: Promise<LayerFacts>;
  /** The fill of the current attempt once it has begun; undefined if the attempt stores nothing. */
  fill(): Promise<Fill | undefined>;
  /**
   * Waits for the facts. When the last waiting request leaves, the read ends, unless it is nearly done or `keepFor` was
   * called.
   * @throws RegistryError as `inspectLayer`; UPSTREAM_CONTENT if the layer is larger than `request.maxSize`; the signal's
   *   reason.
   */
  wait(request: LayerRequest, signal: AbortSignal | undefined): Promise<LayerFacts>;
  /** Continues the read for at least this many milliseconds, because a client comes back later. */
  keepFor(milliseconds: number): void;
  progress(): LayerProgress;
  /** Whether bytes come so slowly, or not at all, that a request with other access should read by itself. */
  lags(): boolean;
  /** Ends the read with the facts of another read. */
  finish(facts: LayerFacts): void;
  /** Whether the read has stood still for so long that it will never end (`createLeaseSemaphore` tells the reason). */
  isDead(): boolean;
}

export interface BackgroundReadOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly leases: LeaseSemaphore;
  readonly clock: Clock;
  /** Maximum time without a byte, in milliseconds. */
  readonly silenceMs: number;
  /** Absent without a store that names blobs at their end. */
  readonly store?: Pick<LayerStore, 'fill'> | undefined;
}

/**
 * Maximum time in the queue for a read that no client waits for, in milliseconds: the read keeps the login of the request
 * that caused it.
 */
export const backgroundQueueMs = 30_000;

const backgroundPatience: Patience = {
  milliseconds: backgroundQueueMs,
  late: () => new Abandoned(`no turn in ${backgroundQueueMs / 1000} s`),
};

/** From this part of its bytes on, a read continues without clients, so that the next pull finds its result. */
const nearlyDone = 0.9;

/** The abort reason of a read whose result is no longer needed. */
class Abandoned extends Error {
  override readonly name = 'AbortError';
}

/** Waits for a lease, and then reads a layer. */
export function startBackgroundRead(
  digest: Digest,
  first: LayerRequest,
  initialClass: LeaseClass,
  options: BackgroundReadOptions,
): BackgroundRead {
  const { leases: semaphore, clock, silenceMs } = options;
  const waiters = createReadWaiters(digest, endIfAbandoned);
  const leases = createReadLeases(semaphore, first.owner, initialClass);
  const ended = new AbortController();
  const finishedElsewhere = Promise.withResolvers<LayerFacts>();
  const progress = createProgress(clock);
  /** The request whose access the read uses: the first one, or if it has left, another request that waits. */
  let activeRequest = first;
  let keepUntil = Number.NEGATIVE_INFINITY;
  /** The last time that a byte came, or that the read was seen to wait for its lease, by the clock. */
  let lastSignAt = clock();
  let filling = Promise.withResolvers<Fill | undefined>();

  function endIfAbandoned(): void {
    if (!waiters.isEmpty() || clock() < keepUntil || progress.isNearlyDone()) return;
    ended.abort(new Abandoned('no request waits for the layer'));
  }

  /** @param compressedSize bytes, which are rarely more than those of the content. */
  function openFill(compressedSize: number | undefined): Fill | undefined {
    const fill = options.store?.fill(undefined, activeRequest.decompressedSize ?? compressedSize);
    filling.resolve(fill);
    return fill;
  }

  async function attempt(lease: Lease, leaseClass: LeaseClass, attempts: number): Promise<LayerFacts> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ended.signal]);
    const end = (reason: Error) => over.abort(reason);
    const pace = createPaceWatch({ digest, lease, leaseClass, attempts, clock, silenceMs, end });
    const watch = setInterval(() => {
      endIfAbandoned();
      pace.check();
    }, pace.intervalMs);
    const noteSign = () => {
      lastSignAt = clock();
      lease.touch();
    };
    try {
      const { stream, size } = await activeRequest.open(signal, (bytes) => {
        noteSign();
        pace.onSkipped(bytes);
      });
      progress.expect(size);
      const onRead = (compressed: number, decompressed: number) => {
        progress.note(compressed);
        waiters.noteRead(compressed);
        noteSign();
        pace.onRead(compressed, decompressed, size);
      };
      return await inspectLayer(stream, {
        ...options,
        digest,
        onRead,
        signal,
        openFill: () => openFill(size),
      });
    } finally {
      clearInterval(watch);
      filling.resolve(undefined);
    }
  }

  /** Waits for the lease. @throws Abandoned when the read ends before, or waits too long without a client. */
  async function waitForLease(): Promise<Lease> {
    lastSignAt = clock();
    const watch = setInterval(() => {
      lastSignAt = clock();
      endIfAbandoned();
    }, silenceMs / 4);
    try {
      return await leases.granted(
        ended.signal,
        initialClass === 'background' ? backgroundPatience : undefined,
      );
    } finally {
      clearInterval(watch);
    }
  }

  async function run(): Promise<LayerFacts> {
    let leaseClass = initialClass;
    for (let attempts = 1; ; attempts += 1) {
      const lease = await waitForLease();
      lastSignAt = clock();
      progress.start();
      if (attempts > 1) filling = Promise.withResolvers();
      activeRequest = waiters.successorOf(activeRequest);
      try {
        return await attempt(lease, leaseClass, attempts);
      } catch (error) {
        if (!(error instanceof Suspended)) throw error;
        progress.suspend();
        leaseClass = error.leaseClass;
        leases.requestAgain(leaseClass);
      } finally {
        lease.release();
      }
    }
  }

  const facts = Promise.race([run(), finishedElsewhere.promise]);

  return {
    access: () => activeRequest.access,
    facts,
    fill: () => filling.promise,
    async wait(request, signal) {
      signal?.throwIfAborted();
      leases.joinAs(request.owner);
      return waiters.wait(request, facts, signal);
    },
    keepFor(milliseconds) {
      keepUntil = Math.max(keepUntil, clock() + milliseconds);
    },
    progress: () => ({
      ...progress.now(),
      waitMs: progress.isStarted() ? 0 : semaphore.expectedWait(),
    }),
    lags: progress.lags,
    finish(facts) {
      finishedElsewhere.resolve(facts);
      ended.abort(new Abandoned('another read has the facts'));
    },
    isDead: () => ended.signal.aborted || clock() - lastSignAt > silenceMs,
  };
}

/** Measures how far a read is in its current attempt. */
function createProgress(clock: Clock) {
  const speed = createSpeedometer(clock);
  let read = 0;
  let total: number | undefined;
  let isStarted = false;
  const isNearlyDone = () => total !== undefined && read >= total * nearlyDone;
  return {
    isNearlyDone,
    isStarted: () => isStarted,
    lags: () => isStarted && !isNearlyDone() && speed.isLow(),
    now: () => ({ read, total, speed: isStarted ? speed.now() : 0 }),
    start(): void {
      read = 0;
      isStarted = true;
      speed.start();
    },
    suspend(): void {
      read = 0;
      isStarted = false;
    },
    expect(bytes: number | undefined): void {
      total = bytes;
    },
    note(bytes: number): void {
      read = bytes;
      speed.note(bytes);
    },
  };
}
