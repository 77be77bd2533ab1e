import type { Digest } from '../../converters/digest.ts';
import type { Clock } from '../clock.ts';
import type { Lease, LeaseClass } from '../concurrency/lease-semaphore.ts';
import { RegistryError } from '../errors.ts';

/** The abort reason of a read that gives its lease to another read. The read starts over when it has a lease again. */
export class Suspended extends Error {
  override readonly name = 'Suspended';
  /** The class in which the read waits for its next lease. */
  readonly leaseClass: LeaseClass;

  constructor(leaseClass: LeaseClass) {
    super('the turn is given to another reading');
    this.leaseClass = leaseClass;
  }
}

/** Decides how long a read keeps its lease, and when the read has failed. */
export interface PaceWatch {
  /** The interval between calls of `check`, in milliseconds. */
  readonly intervalMs: number;
  /** Ends the read if it has failed or must give way to another read. */
  check(): void;
  /**
   * Records progress.
   * @param compressed bytes read so far.
   * @param decompressed bytes so far.
   * @param total the compressed size of the layer, if upstream has sent it.
   */
  onRead(compressed: number, decompressed: number, total: number | undefined): void;
  /** Records bytes that came once more after a connection broke: they are no progress, and no silence either. */
  onSkipped(bytes: number): void;
}

export interface PaceWatchOptions {
  readonly digest: Digest;
  readonly lease: Lease;
  readonly leaseClass: LeaseClass;
  /** The number of this attempt, from 1. */
  readonly attempts: number;
  readonly clock: Clock;
  /** Maximum time without a byte, in milliseconds. */
  readonly silenceMs: number;
  /** Aborts the read with this reason. */
  readonly end: (reason: RegistryError | Suspended) => void;
}

/** Minimum number of bytes a second. No line is that slow; such a read would never end, and would block others. */
const leastPace = 16;

/**
 * The time limit for a whole layer: ten minutes, and a second for every 4 KiB. A modem of 1998 is faster. The limit
 * ends connections to registries that send only a byte now and then.
 */
const deadline = { baseMs: 600_000, bytesPerSecond: 4_096 };

/** While others wait, a read with fewer compressed bytes a second is slow. */
const slowPace = 65_536;

/**
 * How long a read keeps its lease while other owners wait, in milliseconds: `slow` for a slow read, `ahead` if its
 * owner has more leases than a waiting owner, `other` for any other read. Each attempt gets twice the time of the
 * attempt before, so that every read ends and at most half of all work is repeated.
 */
const quantumMs = { slow: 10_000, ahead: 10_000, other: 300_000 };

/**
 * From this number of decompressed bytes on, a read with a higher compression ratio moves to the class `deferred`. Real
 * file systems stay below ten to one. The layer is still read; `defaultDecompressionLimits` has the limits of errors.
 */
const suspicious = { decompressed: 4 * 2 ** 20, ratio: 250 };

export function createPaceWatch(options: PaceWatchOptions): PaceWatch {
  const { digest, lease, attempts, clock, silenceMs, end } = options;
  const startedAt = clock();
  const patience = 2 ** (attempts - 1);
  let leaseClass = options.leaseClass;
  let lastReadAt = startedAt;
  let compressed = 0;
  let skipped = 0;
  let total: number | undefined;
  let minute = { at: startedAt, received: 0 };
  let recent = { at: startedAt, received: 0, isSlow: false };

  const receivedBytes = () => compressed + skipped;

  /** Measures the pace over at least two seconds. */
  function measurePace(now: number): void {
    const seconds = (now - recent.at) / 1000;
    if (seconds < 2) return;
    const received = receivedBytes();
    recent = { at: now, received, isSlow: (received - recent.received) / seconds < slowPace };
  }

  function failed(now: number): RegistryError | undefined {
    if (now - lastReadAt > silenceMs) return stalled(digest, compressed, silenceMs);
    const within = deadline.baseMs + ((total ?? compressed) / deadline.bytesPerSecond) * 1000;
    if (now - startedAt > within) return tooSlow(digest, compressed, now - startedAt);
    const seconds = (now - minute.at) / 1000;
    if (seconds * 1000 < silenceMs) return undefined;
    const received = receivedBytes() - minute.received;
    minute = { at: now, received: receivedBytes() };
    return received < leastPace * seconds ? tooFewBytes(digest, received, seconds) : undefined;
  }

  function mustYield(now: number): boolean {
    const wanted = lease.wantedBy();
    if (wanted === undefined) return false;
    if (leaseClass === 'background') return true;
    const heldMs = now - startedAt;
    if (recent.isSlow && heldMs > quantumMs.slow * patience) return true;
    return heldMs > (wanted === 'shorter' ? quantumMs.ahead : quantumMs.other) * patience;
  }

  return {
    intervalMs: Math.ceil(Math.min(silenceMs / 4, 2_500)),
    check() {
      const now = clock();
      measurePace(now);
      const error = failed(now);
      if (error) end(error);
      else if (mustYield(now)) end(new Suspended(leaseClass));
    },
    onSkipped(bytes) {
      skipped += bytes;
      lastReadAt = clock();
    },
    onRead(compressedBytes, decompressedBytes, size) {
      compressed = compressedBytes;
      total = size;
      lastReadAt = clock();
      if (leaseClass !== 'normal' || decompressedBytes < suspicious.decompressed) return;
      if (decompressedBytes <= compressedBytes * suspicious.ratio) return;
      leaseClass = 'deferred';
      lease.reclassify('deferred');
      if (lease.wantedBy() !== undefined) end(new Suspended('deferred'));
    },
  };
}

function tooSlow(digest: Digest, received: number, milliseconds: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `The registry sent ${received} bytes of layer ${digest} in ${Math.round(milliseconds / 1000)} s, which is too slow to ` +
      'read it. Check the line to the registry, and try again.',
  );
}

function tooFewBytes(digest: Digest, received: number, seconds: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `Of layer ${digest} no more than ${received} bytes came in ${Math.round(seconds)} s: nobody waits for the rest. Try ` +
      'again.',
  );
}

function stalled(digest: Digest, read: number, silenceMs: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `Reading layer ${digest} stood still for ${Math.round(silenceMs / 1000)} s after ${read} bytes. Try again.`,
  );
}
