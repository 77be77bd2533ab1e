import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchTerminal } from '../../../src/cli/signals.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** @returns the result of a look, once the milliseconds that it may take have passed. */
async function resultAfter<Value>(milliseconds: number, look: Promise<Value>): Promise<Value> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  return look;
}

describe('a SIGHUP', () => {
  it('is none of a terminal for a process without one', async () => {
    const isClosed = watchTerminal(() => false);
    expect(await isClosed()).toBe(false);
  });

  it.each([0, 1, 2])('is that of a closed terminal if stream %i has lost it', async (lost) => {
    const terminals = new Set([lost]);
    const isClosed = watchTerminal((fd) => terminals.has(fd));
    terminals.delete(lost);
    expect(await isClosed()).toBe(true);
  });

  it('is one for renewed files while the terminal is there', async () => {
    const isClosed = watchTerminal((fd) => fd < 2);
    expect(await resultAfter(3_000, isClosed())).toBe(false);
  });

  it('may come a little before the terminal goes', async () => {
    let isThere = true;
    const isClosed = watchTerminal(() => isThere);
    const look = isClosed();
    await vi.advanceTimersByTimeAsync(500);
    isThere = false;
    expect(await resultAfter(200, look)).toBe(true);
  });
});
