import type { Digest } from '../../converters/digest.ts';
import { isDeadline } from '../concurrency/deadline.ts';
import type { Lease, LeaseClass, LeaseOwner, LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import type { DecompressionLimits } from './decompression-limits.ts';
import { inspectLayer } from './inspect.ts';
import type { InspectedLayer } from './layer-info.ts';
import { createPaceWatch, Suspended } from './read-pace.ts';
import { createSpeedometer } from './read-speed.ts';

/** A layer as upstream sends it. */
export interface CompressedLayer {
  readonly stream: ReadableStream<Uint8Array>;
  /** Content-Length, where there is one. */
  readonly size?: number;
}

/** Opens a layer, with the right of the request that wants to know it. The signal aborts it until its last byte. */
export type OpenLayer = (signal: AbortSignal) => Promise<CompressedLayer>;

/** The right with which upstream is asked. */
export interface LayerAccess {
  readonly repository: string;
  /** As `credentialKey` tells it. */
  readonly credential: string;
}

/** A request for the facts of a layer. */
export interface LayerRequest {
  readonly open: OpenLayer;
  readonly access: LayerAccess;
  /** Who the reading counts for. */
  readonly owner: LeaseOwner;
  /** With more bytes than this it is not the layer that the request's manifest names. */
  readonly maxSize?: number;
}

export interface LayerProgress {
  /** Packed bytes read. */
  readonly read: number;
  /** Packed bytes in all, when upstream has said so. */
  readonly total: number | undefined;
  /** Milliseconds since the epoch; `undefined` while the reading waits for its turn. */
  readonly startedAt: number | undefined;
  /** Milliseconds until its turn, as far as the line tells; 0 once it has started. */
  readonly waits: number;
  /** Packed bytes in a millisecond, of the last seconds; 0 where none came. */
  readonly speed: number;
}

/** The reading of one layer, which several requests wait for. */
export interface BackgroundRead {
  /** The right with which upstream is asked: of the request that began it, or of one that still waits. */
  readonly right: () => LayerAccess;
  readonly facts: Promise<InspectedLayer>;
  /**
   * Waits for the facts. A reading that no request waits for ends, unless it is nearly done or `keepFor` was called.
   * @throws RegistryError as `measure`; UPSTREAM_CONTENT where the layer is larger than the request's manifest says; the
   *   signal's reason.
   */
  wait(request: LayerRequest, signal: AbortSignal | undefined): Promise<InspectedLayer>;
  /** A client was told to come back: the reading goes on for at least so many milliseconds. */
  keepFor(milliseconds: number): void;
  progress(): LayerProgress;
  /** Whether its bytes come so slowly, or not at all, that a request of another right does better by itself. */
  lags(): boolean;
  /** Ends the reading with what another one has found out. */
  finish(facts: InspectedLayer): void;
  /** Whether it has stood still for so long that nothing will come of it (`LeaseSemaphore` says how that can be). */
  isDead(): boolean;
}

export interface BackgroundReadOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  readonly leases: LeaseSemaphore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long a reading may stand still. */
  readonly silenceMs: number;
}

/** A reading that has this part of its bytes goes on when its clients have left: the next pull finds it done. */
const nearlyDone = 0.9;

interface Waiter {
  readonly request: LayerRequest;
  readonly most: number;
  readonly reject: (error: unknown) => void;
}

/** The reason with which a reading ends that no request waits for. */
class Abandoned extends Error {
  override readonly name = 'AbortError';
}

/** Reads a layer when its turn has come. */
export function startBackgroundRead(
  digest: Digest,
  first: LayerRequest,
  of: LeaseClass,
  options: BackgroundReadOptions,
): BackgroundRead {
  const { leases, clock, silenceMs } = options;
  const waiters = new Set<Waiter>();
  const owners = new Set([first.owner.join('\0')]);
  const ended = new AbortController();
  const found = Promise.withResolvers<InspectedLayer>();
  const speed = createSpeedometer(clock);
  let asking = first;
  let as = of;
  let line = leases.request(first.owner, as);
  let keepUntil = Number.NEGATIVE_INFINITY;
  let state = { read: 0, total: undefined as number | undefined, startedAt: undefined as number | undefined };
  let heardAt: number | undefined;

  const isNearlyDone = () => state.total !== undefined && state.read >= state.total * nearlyDone;

  function endIfAbandoned(): void {
    if (waiters.size > 0 || clock() < keepUntil || isNearlyDone()) return;
    ended.abort(new Abandoned('no request waits for the layer'));
  }

  function heard(read: number): void {
    state = { ...state, read };
    heardAt = clock();
    speed.note(read);
    for (const waiter of waiters) {
      if (read <= waiter.most) continue;
      waiter.reject(tooLong(digest, waiter.most));
      waiters.delete(waiter);
      endIfAbandoned();
    }
  }

  async function attempt(lease: Lease, attempts: number): Promise<InspectedLayer> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ended.signal]);
    const pace = createPaceWatch({
      digest,
      lease,
      of: as,
      attempts,
      clock,
      silenceMs,
      end: (reason) => over.abort(reason),
    });
    const watch = setInterval(() => {
      endIfAbandoned();
      pace.look();
    }, pace.intervalMs);
    try {
      const { stream, size } = await asking.open(signal);
      state = { ...state, total: size };
      const onRead = (compressed: number, decompressed: number) => {
        heard(compressed);
        lease.touch();
        pace.read(compressed, decompressed, size);
      };
      return await inspectLayer(stream, { ...options, digest, onRead, signal });
    } finally {
      clearInterval(watch);
    }
  }

  /** The request in whose right upstream is asked: one that still waits, where the first one has left. */
  function stillWaiting(): LayerRequest {
    const all = [...waiters].map(({ request }) => request);
    return all.length === 0 || all.includes(asking) ? asking : (all[0] ?? asking);
  }

  /** Waits for the lease, or for the end of a reading that nobody waits for. */
  async function turn(): Promise<Lease> {
    const { promise: abandoned, reject } = Promise.withResolvers<never>();
    const onEnd = () => reject(ended.signal.reason);
    ended.signal.addEventListener('abort', onEnd, { once: true });
    const watch = setInterval(endIfAbandoned, silenceMs / 4);
    try {
      ended.signal.throwIfAborted();
      return await Promise.race([line.granted, abandoned]);
    } catch (error) {
      line.leave();
      throw error;
    } finally {
      clearInterval(watch);
      ended.signal.removeEventListener('abort', onEnd);
    }
  }

  async function run(): Promise<InspectedLayer> {
    for (let attempts = 1; ; attempts += 1) {
      const lease = await turn();
      heardAt = clock();
      state = { ...state, read: 0, startedAt: heardAt };
      speed.start();
      asking = stillWaiting();
      try {
        return await attempt(lease, attempts);
      } catch (error) {
        if (!(error instanceof Suspended)) throw error;
        state = { ...state, read: 0, startedAt: undefined };
        heardAt = undefined;
        as = error.as;
        line = leases.request(first.owner, as);
        for (const owner of [...owners].slice(1)) line.joinAs(owner.split('\0'));
      } finally {
        lease.release();
      }
    }
  }

  const facts = Promise.race([run(), found.promise]);

  return {
    right: () => asking.access,
    facts,
    async wait(request, signal) {
      const { owner, maxSize = Number.POSITIVE_INFINITY } = request;
      signal?.throwIfAborted();
      const { promise: own, reject } = Promise.withResolvers<never>();
      const waiter: Waiter = { request, most: maxSize, reject };
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      waiters.add(waiter);
      const name = owner.join('\0');
      if (!owners.has(name)) line.joinAs(owner);
      owners.add(name);
      try {
        return await Promise.race([facts, own]);
      } finally {
        signal?.removeEventListener('abort', onAbort);
        waiters.delete(waiter);
        // A client whose patience is over is told when to come back (`keepFor`); any other has left.
        if (signal === undefined || !isDeadline(signal)) endIfAbandoned();
      }
    },
    keepFor(milliseconds) {
      keepUntil = Math.max(keepUntil, clock() + milliseconds);
    },
    progress() {
      const isStarted = state.startedAt !== undefined;
      return { ...state, waits: isStarted ? 0 : leases.expectedWait(), speed: isStarted ? speed.now() : 0 };
    },
    lags: () => state.startedAt !== undefined && !isNearlyDone() && speed.isLow(),
    finish(facts) {
      found.resolve(facts);
      ended.abort(new Abandoned('another reading has found it out'));
    },
    isDead: () => ended.signal.aborted || (heardAt !== undefined && clock() - heardAt > silenceMs),
  };
}

function tooLong(digest: Digest, most: number): Error {
  const found = `came with more than ${most} bytes, far more than its manifest says. Try again.`;
  return corruptLayer('claim', `layer ${digest}`, found);
}
