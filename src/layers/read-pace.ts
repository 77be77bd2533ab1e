import type { Digest } from '../../converters/digest.ts';
import type { Lease, LeaseClass } from '../concurrency/lease-semaphore.ts';
import { RegistryError } from '../errors.ts';

/** The reason with which a reading gives up its turn. It starts over when its turn comes again. */
export class Suspended extends Error {
  override readonly name = 'Suspended';
  /** The class in which it lines up again. */
  readonly as: LeaseClass;

  constructor(as: LeaseClass) {
    super('the turn is given to another reading');
    this.as = as;
  }
}

export interface PaceWatch {
  /** How often `look` is to be called, in milliseconds. */
  readonly intervalMs: number;
  look(): void;
  /** To be told of all progress. @param total packed bytes in all, where they are known. */
  read(compressed: number, decompressed: number, total: number | undefined): void;
}

export interface PaceWatchOptions {
  readonly digest: Digest;
  readonly lease: Lease;
  readonly of: LeaseClass;
  /** How often the reading has begun. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long a reading may stand still. */
  readonly silenceMs: number;
  /** Ends the reading with this reason. */
  readonly end: (reason: RegistryError | Suspended) => void;
}

/** Bytes a second below which a layer never gets whole, and keeps its turn from others: no line is as slow. */
const leastPace = 16;

/**
 * The time for a whole layer: ten minutes, and a second for every 4 KiB. A modem of 1998 is faster; a registry that
 * sends a byte now and then does not hold a connection for good.
 */
const deadline = { baseMs: 600_000, bytesPerSecond: 4_096 };

/** While others wait, a reading that is slower than this many packed bytes a second is slow. */
const slowPace = 65_536;

/**
 * How long a reading keeps its turn while other owners wait, in milliseconds: a slow one; one whose owner has more
 * turns than an owner that waits; any other. Each attempt gets twice the time of the one before, so that every
 * reading ends and at most half of all work is done again.
 */
const quantumMs = { slow: 10_000, ahead: 10_000, other: 300_000 };

/**
 * Unpacked bytes from which on a ratio says something, and the ratio above which a reading goes behind all others: real
 * file systems stay below ten to one. It is still read (`defaultUnpackLimits` says what is refused).
 */
const suspicious = { unpacked: 4 * 2 ** 20, ratio: 250 };

/** Decides how long a reading keeps its turn, and when it has failed. */
export function createPaceWatch(options: PaceWatchOptions): PaceWatch {
  const { digest, lease, attempts, clock, silenceMs, end } = options;
  const startedAt = clock();
  const patience = 2 ** (attempts - 1);
  let as = options.of;
  let heardAt = startedAt;
  let compressed = 0;
  let total: number | undefined;
  let minute = { at: startedAt, packed: 0 };
  let recent = { at: startedAt, packed: 0, isSlow: false };

  /** The pace of the last whole seconds, and not of the moment. */
  function measurePace(now: number): void {
    const seconds = (now - recent.at) / 1000;
    if (seconds < 2) return;
    recent = { at: now, packed: compressed, isSlow: (compressed - recent.packed) / seconds < slowPace };
  }

  function failed(now: number): RegistryError | undefined {
    if (now - heardAt > silenceMs) return stoodStill(digest, compressed, silenceMs);
    const within = deadline.baseMs + ((total ?? compressed) / deadline.bytesPerSecond) * 1000;
    if (now - startedAt > within) return tooSlow(digest, compressed, now - startedAt);
    const seconds = (now - minute.at) / 1000;
    if (seconds * 1000 < silenceMs) return undefined;
    const came = compressed - minute.packed;
    minute = { at: now, packed: compressed };
    return came < leastPace * seconds ? crept(digest, came, seconds) : undefined;
  }

  function isToYield(now: number): boolean {
    const wanted = lease.wantedBy();
    if (wanted === undefined) return false;
    if (as === 'background') return true;
    const held = now - startedAt;
    if (recent.isSlow && held > quantumMs.slow * patience) return true;
    return held > (wanted === 'shorter' ? quantumMs.ahead : quantumMs.other) * patience;
  }

  return {
    intervalMs: Math.ceil(Math.min(silenceMs / 4, 2_500)),
    look() {
      const now = clock();
      measurePace(now);
      const error = failed(now);
      if (error) end(error);
      else if (isToYield(now)) end(new Suspended(as));
    },
    read(compressedBytes, decompressedBytes, size) {
      compressed = compressedBytes;
      total = size;
      heardAt = clock();
      if (as !== 'normal' || decompressedBytes < suspicious.unpacked) return;
      if (decompressedBytes <= compressedBytes * suspicious.ratio) return;
      as = 'deferred';
      lease.reclassify('deferred');
      if (lease.wantedBy() !== undefined) end(new Suspended('deferred'));
    },
  };
}

function tooSlow(digest: Digest, came: number, milliseconds: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `The registry sent ${came} bytes of layer ${digest} in ${Math.round(milliseconds / 1000)} s, which is too slow to ` +
      'read it. Check the line to the registry, and try again.',
  );
}

function crept(digest: Digest, came: number, seconds: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `Of layer ${digest} no more than ${came} bytes came in ${Math.round(seconds)} s: nobody waits for the rest. Try ` +
      'again.',
  );
}

function stoodStill(digest: Digest, read: number, silenceMs: number): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `Reading layer ${digest} stood still for ${Math.round(silenceMs / 1000)} s after ${read} bytes. Try again.`,
  );
}
