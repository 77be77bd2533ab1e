import type { Digest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { Clock } from '../clock.ts';
import { isDeadline } from '../concurrency/deadline.ts';
import type { Lease, LeaseClass, LeaseOwner, LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { inspectLayer } from './inspect.ts';
import { createPaceWatch, Suspended } from './read-pace.ts';
import { createSpeedometer } from './read-speed.ts';
import type { Fill } from './store/fill.ts';
import type { LayerStore } from './store/layer-store.ts';

/** A compressed layer from upstream. */
export interface CompressedLayer {
  readonly stream: ReadableStream<Uint8Array>;
  /** The Content-Length, if there is one. */
  readonly size?: number;
}

/**
 * Opens a layer with the access of one request. The signal aborts the stream until its last byte. After a broken
 * connection, `onSkipped` is called with the number of bytes that are read once more.
 */
export type OpenLayer = (signal: AbortSignal, onSkipped: (bytes: number) => void) => Promise<CompressedLayer>;

/** The repository and the credential of a request to upstream. */
export interface LayerAccess {
  readonly repository: string;
  /** From `credentialKey`. */
  readonly credential: string;
}

/** A request for the facts of a layer. */
export interface LayerRequest {
  readonly open: OpenLayer;
  readonly access: LayerAccess;
  /** The owner of the read's lease. */
  readonly owner: LeaseOwner;
  /** Maximum number of compressed bytes; a larger layer contradicts the request's manifest. */
  readonly maxSize?: number;
  /** Bytes of the decompressed layer, if they are known. */
  readonly decompressedSize?: number;
}

export interface LayerProgress {
  /** Compressed bytes read. */
  readonly read: number;
  /** The compressed size of the layer, if upstream has sent it. */
  readonly total: number | undefined;
  /** By the clock; `undefined` while the read waits for its lease. */
  readonly startedAt: number | undefined;
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

/** From this part of its bytes on, a read continues without clients, so that the next pull finds its result. */
const nearlyDone = 0.9;

interface Waiter {
  readonly request: LayerRequest;
  readonly maxSize: number;
  readonly reject: (error: unknown) => void;
}

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
  const { leases, clock, silenceMs } = options;
  const waiters = new Set<Waiter>();
  const owners = new Set([first.owner.join('\0')]);
  const ended = new AbortController();
  const finishedElsewhere = Promise.withResolvers<LayerFacts>();
  const speed = createSpeedometer(clock);
  let activeRequest = first;
  let leaseClass = initialClass;
  let leaseRequest = leases.request(first.owner, leaseClass);
  let keepUntil = Number.NEGATIVE_INFINITY;
  let state = { read: 0, total: undefined as number | undefined, startedAt: undefined as number | undefined };
  /** The last time that a byte came, or that the read was seen to wait for its lease, by the clock. */
  let lastSignAt = clock();
  let filling = Promise.withResolvers<Fill | undefined>();

  const isNearlyDone = () => state.total !== undefined && state.read >= state.total * nearlyDone;

  function endIfAbandoned(): void {
    if (waiters.size > 0 || clock() < keepUntil || isNearlyDone()) return;
    ended.abort(new Abandoned('no request waits for the layer'));
  }

  function endIfBackground(): void {
    if (initialClass === 'background') ended.abort(new Abandoned(`no turn in ${backgroundQueueMs / 1000} s`));
  }

  function onProgress(read: number): void {
    state = { ...state, read };
    lastSignAt = clock();
    speed.note(read);
    for (const waiter of waiters) {
      if (read <= waiter.maxSize) continue;
      waiter.reject(tooLarge(digest, waiter.maxSize));
      waiters.delete(waiter);
      endIfAbandoned();
    }
  }

  async function attempt(lease: Lease, attempts: number): Promise<LayerFacts> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ended.signal]);
    const pace = createPaceWatch({
      digest,
      lease,
      leaseClass,
      attempts,
      clock,
      silenceMs,
      end: (reason) => over.abort(reason),
    });
    const watch = setInterval(() => {
      endIfAbandoned();
      pace.check();
    }, pace.intervalMs);
    try {
      const onSkipped = (bytes: number) => {
        lastSignAt = clock();
        lease.touch();
        pace.onSkipped(bytes);
      };
      const { stream, size } = await activeRequest.open(signal, onSkipped);
      state = { ...state, total: size };
      const onRead = (compressed: number, decompressed: number) => {
        onProgress(compressed);
        lease.touch();
        pace.onRead(compressed, decompressed, size);
      };
      const openFill = () => {
        // Compressed layers are rarely larger than their content.
        const fill = options.store?.fill(undefined, activeRequest.decompressedSize ?? size);
        filling.resolve(fill);
        return fill;
      };
      return await inspectLayer(stream, { ...options, digest, onRead, signal, openFill });
    } finally {
      clearInterval(watch);
      filling.resolve(undefined);
    }
  }

  /** The request whose access the read uses: the active request, or if it has left, another request that waits. */
  function waitingRequest(): LayerRequest {
    const all = [...waiters].map(({ request }) => request);
    return all.length === 0 || all.includes(activeRequest) ? activeRequest : (all[0] ?? activeRequest);
  }

  /** Waits for the lease. @throws Abandoned when the read ends before, or waits too long without a client. */
  async function waitForLease(): Promise<Lease> {
    const { promise: abandoned, reject } = Promise.withResolvers<never>();
    const onEnd = () => reject(ended.signal.reason);
    ended.signal.addEventListener('abort', onEnd, { once: true });
    lastSignAt = clock();
    const watch = setInterval(() => {
      lastSignAt = clock();
      endIfAbandoned();
    }, silenceMs / 4);
    const queued = setTimeout(endIfBackground, backgroundQueueMs);
    try {
      ended.signal.throwIfAborted();
      return await Promise.race([leaseRequest.granted, abandoned]);
    } catch (error) {
      leaseRequest.leave();
      throw error;
    } finally {
      clearInterval(watch);
      clearTimeout(queued);
      ended.signal.removeEventListener('abort', onEnd);
    }
  }

  async function run(): Promise<LayerFacts> {
    for (let attempts = 1; ; attempts += 1) {
      const lease = await waitForLease();
      lastSignAt = clock();
      state = { ...state, read: 0, startedAt: lastSignAt };
      if (attempts > 1) filling = Promise.withResolvers();
      speed.start();
      activeRequest = waitingRequest();
      try {
        return await attempt(lease, attempts);
      } catch (error) {
        if (!(error instanceof Suspended)) throw error;
        state = { ...state, read: 0, startedAt: undefined };
        leaseClass = error.leaseClass;
        leaseRequest = leases.request(first.owner, leaseClass);
        for (const owner of [...owners].slice(1)) leaseRequest.joinAs(owner.split('\0'));
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
      const { owner, maxSize = Number.POSITIVE_INFINITY } = request;
      signal?.throwIfAborted();
      const { promise: rejected, reject } = Promise.withResolvers<never>();
      const waiter: Waiter = { request, maxSize, reject };
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      waiters.add(waiter);
      const name = owner.join('\0');
      if (!owners.has(name)) leaseRequest.joinAs(owner);
      owners.add(name);
      try {
        return await Promise.race([facts, rejected]);
      } finally {
        signal?.removeEventListener('abort', onAbort);
        waiters.delete(waiter);
        // After a deadline, the client learns when to come back (`keepFor`). After any other abort, it has left.
        if (signal === undefined || !isDeadline(signal)) endIfAbandoned();
      }
    },
    keepFor(milliseconds) {
      keepUntil = Math.max(keepUntil, clock() + milliseconds);
    },
    progress() {
      const isStarted = state.startedAt !== undefined;
      return { ...state, waitMs: isStarted ? 0 : leases.expectedWait(), speed: isStarted ? speed.now() : 0 };
    },
    lags: () => state.startedAt !== undefined && !isNearlyDone() && speed.isLow(),
    finish(facts) {
      finishedElsewhere.resolve(facts);
      ended.abort(new Abandoned('another read has the facts'));
    },
    isDead: () => ended.signal.aborted || clock() - lastSignAt > silenceMs,
  };
}

function tooLarge(digest: Digest, maxSize: number): Error {
  const problem = `came with more than ${maxSize} bytes, far more than its manifest says. Try again.`;
  return corruptLayer('claim', `layer ${digest}`, problem);
}
