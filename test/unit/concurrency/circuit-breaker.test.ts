import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCircuit } from '../../../src/concurrency/circuit-breaker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function circuit() {
  const said: string[] = [];
  const state = { isThere: false, probes: 0 };
  const built = createCircuit({
    probe: async () => {
      state.probes += 1;
      if (!state.isThere) throw new Error('away');
    },
    onAway: (reason) => said.push(`away: ${reason}`),
    onBack: () => said.push('back'),
    clock: Date.now,
  });
  return { ...built, said, state };
}

describe('what is late', () => {
  it('is away at the third time in a row', () => {
    const { late, isAway, said } = circuit();
    late('slow');
    late('slow');
    expect(isAway()).toBe(false);
    late('slow');
    late('slow');
    expect([isAway(), said]).toEqual([true, ['away: slow']]);
  });

  it('is not away when it has answered in between', () => {
    const { late, answered, isAway } = circuit();
    for (let turn = 0; turn < 10; turn += 1) {
      late('slow');
      late('slow');
      answered();
    }
    expect(isAway()).toBe(false);
  });
});

describe('what is lost', () => {
  it('is away at once, and that is told once', () => {
    const { lost, isAway, said } = circuit();
    lost('broken');
    lost('refused');
    expect([isAway(), said]).toEqual([true, ['away: broken']]);
  });

  it('is probed each second until it is back, which is told once', async () => {
    const { lost, isAway, said, state } = circuit();
    lost('broken');
    await vi.advanceTimersByTimeAsync(5_000);
    expect([isAway(), state.probes]).toEqual([true, 5]);
    state.isThere = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([isAway(), state.probes, said]).toEqual([false, 6, ['away: broken', 'back']]);
  });

  it('is probed at once when something speaks for it, and once at a time', async () => {
    const { lost, tryNow, isAway, state } = circuit();
    lost('broken');
    state.isThere = true;
    tryNow();
    tryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect([isAway(), state.probes]).toEqual([false, 1]);
  });

  it('soon after it came back is waited for longer, half a minute at most', async () => {
    const { late, said, state } = circuit();
    state.isThere = true;
    for (let turn = 0; turn < 1_200; turn += 1) {
      late('slow');
      await vi.advanceTimersByTimeAsync(100);
    }
    // 1, 2, 4, 8, 16 and then 30 seconds between; without that, there would be some 90.
    expect(said.filter((each) => each === 'back').length).toBeLessThan(9);
    expect(said.filter((each) => each === 'back').length).toBeGreaterThan(4);
  });

  it('is no longer probed after the end', async () => {
    const { lost, stop, state } = circuit();
    lost('broken');
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.probes).toBe(0);
  });
});
