import { expect, it } from 'vitest';
import { createSpeedometer } from '../../../src/layers/read-speed.ts';

it('tells the speed of the last seconds, and not of all the time', () => {
  let now = 0;
  const speed = createSpeedometer(() => now);
  for (; now < 60_000; now += 1_000) speed.note(now * 1_000);
  expect(speed.now()).toBeGreaterThan(900);
  expect(speed.isLow()).toBe(false);
  now += 25_000;
  expect(speed.now()).toBeLessThan(800);
  now += 25_000;
  expect(speed.now()).toBe(0);
  expect(speed.isLow()).toBe(true);
  speed.start();
  expect(speed.isLow()).toBe(false);
  now += 6_000;
  speed.note(50_000);
  expect(speed.isLow()).toBe(true);
  now += 1_000;
  speed.note(5_000_000);
  expect(speed.isLow()).toBe(false);
});
