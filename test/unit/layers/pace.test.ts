import { describe, expect, test } from 'vitest';
import { createPace } from '../../../src/layers/pace.ts';

const KiB = 1024;

function paceWith(graceMs = 5_000) {
  let now = 0;
  const pace = createPace(graceMs, () => now);
  /** Gives so many bytes, after which the client asks again. */
  const piece = (bytes: number, milliseconds: number) => {
    pace.delivered(bytes);
    now += milliseconds;
    pace.requested();
  };
  const wait = (milliseconds: number) => {
    now += milliseconds;
  };
  return { pace, piece, wait };
}

describe('a client is slow', () => {
  test('when it has taken less than 64 KiB a second for five seconds', () => {
    const { pace, piece, wait } = paceWith();
    for (let count = 0; count < 10; count += 1) piece(63 * KiB, 1_000);
    pace.delivered(0);
    wait(10);
    expect(pace.isSlow()).toBe(true);
  });

  test('when it has stopped, however fast it was before', () => {
    const { pace, piece, wait } = paceWith();
    for (let count = 0; count < 1_000; count += 1) piece(128 * KiB, 1);
    pace.delivered(128 * KiB);
    let seconds = 0;
    for (; seconds < 60 && !pace.isSlow(); seconds += 1) wait(1_000);
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeLessThanOrEqual(8);
  });

  test('later, with a longer grace', () => {
    const { pace, wait } = paceWith(20_000);
    pace.delivered(KiB);
    wait(19_000);
    expect(pace.isSlow()).toBe(false);
    wait(1_000);
    expect(pace.isSlow()).toBe(true);
  });
});

describe('a client is not slow', () => {
  test('at 65 KiB a second', () => {
    const { pace, piece } = paceWith();
    for (let count = 0; count < 60; count += 1) {
      piece(65 * KiB, 1_000);
      pace.delivered(0);
      expect(pace.isSlow()).toBe(false);
    }
  });

  test('after a pause of the network of four seconds', () => {
    const { pace, piece, wait } = paceWith();
    for (let count = 0; count < 20; count += 1) piece(512 * KiB, 500);
    pace.delivered(512 * KiB);
    wait(4_000);
    expect(pace.isSlow()).toBe(false);
  });

  test('while it waits for more, however long that takes', () => {
    const { pace, piece, wait } = paceWith();
    for (let count = 0; count < 20; count += 1) {
      piece(10, 1);
      wait(60_000);
      expect(pace.isSlow()).toBe(false);
    }
  });
});
