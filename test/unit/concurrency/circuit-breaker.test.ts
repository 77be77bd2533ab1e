import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCircuit } from '../../../src/concurrency/circuit-breaker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function circuit(clock: () => number = Date.now) {
  const calls: string[] = [];
  const state = { works: false, probes: 0 };
  const built = createCircuit({
    probe: async () => {
      state.probes += 1;
      if (!state.works) throw new Error('down');
    },
    onOpen: (reason) => calls.push(`open: ${reason}`),
    onClose: () => calls.push('closed'),
    clock,
  });
  return { ...built, calls, state };
}

describe('a circuit with timeouts', () => {
  it('opens at the third timeout in a row', () => {
    const { recordTimeout, isOpen, calls } = circuit();
    recordTimeout('slow');
    recordTimeout('slow');
    expect(isOpen()).toBe(false);
    recordTimeout('slow');
    recordTimeout('slow');
    expect([isOpen(), calls]).toEqual([true, ['open: slow']]);
  });

  it('stays closed if the service responds in between', () => {
    const { recordTimeout, recordSuccess, isOpen } = circuit();
    for (let turn = 0; turn < 10; turn += 1) {
      recordTimeout('slow');
      recordTimeout('slow');
      recordSuccess();
    }
    expect(isOpen()).toBe(false);
  });
});

describe('a circuit that opens', () => {
  it('is open at once, and calls onOpen once', () => {
    const { open, isOpen, calls } = circuit();
    open('broken');
    open('refused');
    expect([isOpen(), calls]).toEqual([true, ['open: broken']]);
  });

  it('probes each second until the service works, and calls onClose once', async () => {
    const { open, isOpen, calls, state } = circuit();
    open('broken');
    await vi.advanceTimersByTimeAsync(5_000);
    expect([isOpen(), state.probes]).toEqual([true, 5]);
    state.works = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([isOpen(), state.probes, calls]).toEqual([false, 6, ['open: broken', 'closed']]);
  });

  it('probes at its next use if its timer stood still, as while the machine sleeps', async () => {
    let slept = 0;
    const { open, isOpen, calls, state } = circuit(() => Date.now() + slept);
    open('broken');
    state.works = true;
    slept = 999;
    expect([isOpen(), state.probes]).toEqual([true, 0]);
    slept = 1_000;
    expect([isOpen(), isOpen(), state.probes]).toEqual([true, true, 1]);
    await vi.advanceTimersByTimeAsync(0);
    expect([isOpen(), calls]).toEqual([false, ['open: broken', 'closed']]);
  });

  it('probes without delay on request, one probe at a time', async () => {
    const { open, probeNow, isOpen, state } = circuit();
    open('broken');
    state.works = true;
    probeNow();
    probeNow();
    await vi.advanceTimersByTimeAsync(0);
    expect([isOpen(), state.probes]).toEqual([false, 1]);
  });

  it('again soon after it closed probes less often, after half a minute at most', async () => {
    const { recordTimeout, calls, state } = circuit();
    state.works = true;
    for (let turn = 0; turn < 1_200; turn += 1) {
      recordTimeout('slow');
      await vi.advanceTimersByTimeAsync(100);
    }
    // The delays are 1, 2, 4, 8, 16 and then 30 seconds. Without them, the circuit would close some 90 times.
    expect(calls.filter((each) => each === 'closed').length).toBeLessThan(9);
    expect(calls.filter((each) => each === 'closed').length).toBeGreaterThan(4);
  });

  it('again soon after it closed keeps its delays, also where the service seems to work again each time', async () => {
    const { open, probeNow, calls, state } = circuit();
    state.works = true;
    for (let turn = 0; turn < 120; turn += 1) {
      open('broken');
      probeNow();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    // Without delay at first, and then after 2, 4, 8, 16 and 30 seconds.
    expect(calls.filter((each) => each === 'closed').length).toBeLessThan(9);
    expect(calls.slice(0, 2)).toEqual(['open: broken', 'closed']);
  });

  it('again soon after it closed probes on request once its first delay is over', async () => {
    const { open, probeNow, isOpen, state } = circuit();
    for (let turn = 0; turn < 7; turn += 1) {
      state.works = true;
      open('broken');
      await vi.advanceTimersByTimeAsync(30_000);
    }
    state.works = false;
    open('broken');
    await vi.advanceTimersByTimeAsync(30_000);
    // A client that gave up at the failed probe has found the service again.
    state.works = true;
    expect(isOpen()).toBe(true);
    probeNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(isOpen()).toBe(false);
  });

  it('probes on request once for each delay, where the service accepts connections and refuses to work', async () => {
    let probes = 0;
    const built = createCircuit({
      probe: async () => {
        probes += 1;
        setTimeout(() => built.probeNow(), 10);
        throw new Error('LOADING');
      },
      onOpen: () => undefined,
      onClose: () => undefined,
      clock: Date.now,
    });
    built.open('broken');
    await vi.advanceTimersByTimeAsync(10_000);
    built.stop();
    // One in each second, and one early for each.
    expect(probes).toBeGreaterThan(9);
    expect(probes).toBeLessThan(21);
  });

  it('does not probe after stop', async () => {
    const { open, stop, state } = circuit();
    open('broken');
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.probes).toBe(0);
  });
});
