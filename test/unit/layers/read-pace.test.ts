import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Digest } from '../../../converters/digest.ts';
import { createLeaseSemaphore, type LeaseClass } from '../../../src/concurrency/lease-semaphore.ts';
import { createPaceWatch, Suspended } from '../../../src/layers/read-pace.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const MiB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The reason with which a reading of this pace ends, and after how many seconds, within an hour. */
async function endOf(
  bytesPerSecond: number,
  {
    attempts = 1,
    of = 'normal' as LeaseClass,
    others = 0,
    ownLeases = 1,
    total = 1024 * MiB,
    ratio = 3,
  } = {},
) {
  const limit = ownLeases + others;
  const leases = createLeaseSemaphore({ limit: Math.max(2, limit), staleMs: 10_000_000, clock: Date.now });
  const owned = await Promise.all(
    Array.from({ length: ownLeases }, () => leases.request(['registry', 'own'], of).granted),
  );
  for (let at = 0; at < others; at += 1) await leases.request(['registry', 'other'], 'normal').granted;
  while (leases.expectedWait() === 0) await leases.request(['registry', 'other'], 'normal').granted;
  if (others > 0) leases.request(['registry', 'other'], 'normal');
  const [lease] = owned;
  if (lease === undefined) throw new Error('no lease');
  let end: { readonly reason: Error; readonly seconds: number } | undefined;
  const startedAt = Date.now();
  const pace = createPaceWatch({
    digest,
    lease,
    leaseClass: of,
    attempts,
    clock: Date.now,
    silenceMs: 60_000,
    end: (reason) => {
      end ??= { reason, seconds: (Date.now() - startedAt) / 1000 };
    },
  });
  const watch = setInterval(() => pace.check(), pace.intervalMs);
  for (let second = 1; second <= 3_600 && end === undefined; second += 1) {
    if (bytesPerSecond > 0) pace.onRead(bytesPerSecond * second, bytesPerSecond * second * ratio, total);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  clearInterval(watch);
  return end;
}

describe('a reading that skips bytes after a broken connection', () => {
  it.each([
    [1_000_000, undefined],
    [0, 'stood still'],
  ] as const)('at %i bytes a second ends by silence: %s', async (bytesPerSecond, message) => {
    const leases = createLeaseSemaphore({ limit: 1, staleMs: 10_000_000, clock: Date.now });
    const lease = await leases.request(['registry', 'own'], 'normal').granted;
    const end = vi.fn();
    const options = { digest, lease, leaseClass: 'normal', attempts: 1, clock: Date.now } as const;
    const pace = createPaceWatch({ ...options, silenceMs: 60_000, end });
    pace.onRead(1_000, 1_000, 2 ** 30);
    for (let second = 1; second <= 200; second += 1) {
      if (bytesPerSecond > 0) pace.onSkipped(bytesPerSecond);
      await vi.advanceTimersByTimeAsync(1_000);
      pace.check();
    }
    if (message === undefined) expect(end).not.toHaveBeenCalled();
    else expect(end.mock.calls[0]?.[0]).toMatchObject({ message: expect.stringContaining(message) });
  });
});

describe('a reading', () => {
  it('keeps its turn while no other owner waits, however slow it is', async () => {
    expect(await endOf(5_000)).toBeUndefined();
  });

  it('gives its turn to others where it is slow, after twice the time with each attempt', async () => {
    for (const [attempts, seconds] of [
      [1, 10],
      [2, 20],
      [4, 80],
    ] as const) {
      const end = await endOf(20_000, { attempts, others: 1 });
      expect(end?.reason).toBeInstanceOf(Suspended);
      expect(end?.seconds).toBeGreaterThanOrEqual(seconds);
      expect(end?.seconds).toBeLessThan(seconds + 5);
    }
  });

  it('gives its turn to an owner that has fewer, and sooner than to one that has as many', async () => {
    const ahead = await endOf(MiB, { others: 1, ownLeases: 2 });
    const equal = await endOf(MiB, { others: 1 });
    expect([ahead?.reason, equal?.reason]).toEqual([expect.any(Suspended), expect.any(Suspended)]);
    expect(ahead?.seconds).toBeLessThan(15);
    expect(equal?.seconds).toBeGreaterThanOrEqual(300);
  });

  it('in the background gives way at once', async () => {
    const end = await endOf(MiB, { of: 'background', others: 1 });
    expect(end?.reason).toMatchObject({ name: 'Suspended', leaseClass: 'background' });
    expect(end?.seconds).toBeLessThan(5);
  });

  it('of a suspicious ratio goes behind all others, and is refused nothing where no other waits', async () => {
    const end = await endOf(100_000, { others: 1, ratio: 251 });
    expect(end).toMatchObject({ reason: { name: 'Suspended', leaseClass: 'deferred' }, seconds: 0 });
    expect(await endOf(100_000, { others: 1, ratio: 249 })).not.toMatchObject({ seconds: 0 });
    expect(await endOf(100_000, { ratio: 1000 })).toBeUndefined();
  });

  it('has ten minutes, and a second for each 4 KiB', async () => {
    expect(await endOf(2_000, { total: 20 * MiB })).toBeUndefined();
    const end = await endOf(1_000, { total: MiB });
    expect(end?.reason).toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: expect.stringContaining('too slow'),
    });
    expect(end?.seconds).toBeGreaterThanOrEqual(856);
    expect(end?.seconds).toBeLessThan(862);
  });
});
