import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../converters/digest.ts';
import type { LayerProgress } from '../../../src/layers/background-read.ts';
import { createLayersToRead } from '../../../src/layers/layers-to-read.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const MB = 1_000_000;

/** For how long readings were asked to go on. */
const kept: number[] = [];

function told(
  sizes: readonly (number | undefined)[],
  done: number,
  readings: Readonly<Record<number, LayerProgress>>,
): readonly [string, string | undefined] {
  const layers = createLayersToRead();
  sizes.forEach((size, index) => {
    layers.add(digest(String(index)), size);
    if (index < done) layers.done(digest(String(index)));
  });
  const { message, headers } = layers.notYet({
    progress: (of) => readings[Number(of.at(-1))],
    keepFor: (_, milliseconds) => void kept.push(milliseconds),
  });
  return [message, headers['Retry-After']];
}

describe('what a client is told whose layers are still being read', () => {
  it('is which of them, how much of all, and when to come back by the speed so far', () => {
    const reading = { read: 40 * MB, total: 100 * MB, waitMs: 0, speed: 2_000 };
    const [message, wait] = told([50 * MB, 100 * MB, 50 * MB], 1, { 1: reading });
    expect(message).toContain('layer 2 of 3 (90 of 200 MB)');
    // 110 MB at 2 MB/s.
    expect(message).toContain('Pull again in about 55 s.');
    expect(wait).toBe('55');
  });

  it('adds up what is read at the same time', () => {
    const reading = { read: 20 * MB, total: 100 * MB, waitMs: 0, speed: 2_000 };
    const [message] = told([100 * MB, 100 * MB], 0, { 0: reading, 1: reading });
    expect(message).toContain('layer 1 of 2 (40 of 200 MB). Pull again in about 40 s.');
  });

  it('names no size where a manifest names none (schema 1), and guesses a minute', () => {
    const [message, wait] = told([undefined], 0, {
      0: { read: 5, total: undefined, waitMs: 0, speed: 5 },
    });
    expect(message).toContain('layer 1 of 1. Pull again in about 60 s.');
    expect(wait).toBe('60');
  });

  it('does not send a client back at once', () => {
    const reading = { read: 99 * MB, total: 100 * MB, waitMs: 0, speed: 9_900 };
    expect(told([100 * MB], 0, { 0: reading })[1]).toBe('5');
  });

  it('adds the time in line of a layer that is not read yet, and keeps all readings for twice the time', () => {
    const waiting = { read: 0, total: undefined, waitMs: 90_000, speed: 0 };
    const reading = { read: 40 * MB, total: 100 * MB, waitMs: 0, speed: 2_000 };
    kept.length = 0;
    // 110 MB at 2 MB/s, after 90 s in line.
    expect(told([50 * MB, 100 * MB], 0, { 0: waiting, 1: reading })[1]).toBe('145');
    expect(kept).toEqual([290_000, 290_000]);
  });

  it('counts a layer that stands in an image twice once', () => {
    const layers = createLayersToRead();
    layers.add(digest('a'), MB);
    layers.add(digest('a'), MB);
    expect(layers.notYet({ progress: () => undefined, keepFor: () => undefined }).message).toContain(
      'layer 1 of 1 (0 of 1 MB)',
    );
  });
});
