import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPartedWindowBudget } from '../../../../../src/runtime/node/layers/memory-semaphore.ts';

const MiB = 2 ** 20;
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream with a slow client. It returns its window on request, and requests one again a second later. */
function slowReader(budget: ReturnType<typeof createPartedWindowBudget>, address: string, bytes: number) {
  const hold = async () => {
    const { promise: asked, resolve: giveBack } = Promise.withResolvers<void>();
    const holder = { isSlow: () => true, isPastMinimum: () => true, giveBack };
    const give = await budget.take({ bytes, owner: [address, ''], holder }, never);
    await asked;
    give();
    setTimeout(() => void hold(), 1_000);
  };
  void hold();
}

/** @returns true if a window is available within three seconds. */
async function isTaken(budget: ReturnType<typeof createPartedWindowBudget>, address: string, bytes: number) {
  let taken = false;
  void budget.take({ bytes, owner: [address, ''] }, never).then(() => {
    taken = true;
  });
  await vi.advanceTimersByTimeAsync(3_000);
  return taken;
}

describe('memory for windows', () => {
  it('is there at once for a small window, however many slow readers of large ones there are', async () => {
    const budget = createPartedWindowBudget(256 * MiB, 128 * MiB);
    for (let at = 0; at < 12; at += 1) slowReader(budget, `192.0.2.${at}`, 128 * MiB);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await isTaken(budget, '198.51.100.1', 8 * MiB)).toBe(true);
    // The owner of a slow reader of large windows gets a small one too.
    expect(await isTaken(budget, '192.0.2.3', MiB)).toBe(true);
  });

  it('is lent to small windows as a whole where no large one waits, and never beyond', async () => {
    const budget = createPartedWindowBudget(256 * MiB, 128 * MiB);
    const gives = Array.from({ length: 40 }, (_, at) =>
      budget.tryTake({ bytes: 8 * MiB, owner: [`192.0.2.${at}`, ''] }),
    );
    expect(gives.filter(Boolean)).toHaveLength(32);
  });

  it('is not kept from a large window by small ones that keep coming', async () => {
    const budget = createPartedWindowBudget(256 * MiB, 128 * MiB);
    const gives = Array.from({ length: 32 }, (_, at) =>
      budget.tryTake({ bytes: 8 * MiB, owner: [`192.0.2.${at}`, ''] }),
    );
    let large = false;
    void budget.take({ bytes: 128 * MiB, owner: ['198.51.100.1', ''] }, never).then(() => {
      large = true;
    });
    for (const [at, give] of gives.entries()) {
      give?.();
      void budget.take({ bytes: 8 * MiB, owner: [`203.0.113.${at}`, ''] }, never);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(large).toBe(true);
  });
});
