import { expect, test } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createRepositoryVersions, type FleetWrites } from '../../../src/registry/repository-versions.ts';

const named = (number: number) => `team/app-${number}` as RepositoryName;

test('a write begins a version that the repository never had, and leaves almost all others as they are', () => {
  const versions = createRepositoryVersions()('https://registry.test');
  const names = Array.from({ length: 2_000 }, (_, index) => named(index));
  const before = new Map(names.map((name) => [name, versions.current(name)]));
  const seen = new Set<string>();
  for (let write = 0; write < 100; write += 1) {
    seen.add(versions.current(named(0)));
    versions.increment(named(0));
    expect(seen.has(versions.current(named(0)))).toBe(false);
  }
  const changed = names.filter((name) => versions.current(name) !== before.get(name));
  expect(changed).toContain(named(0));
  // Repositories that share its counter: two of 2,000 on average.
  expect(changed.length).toBeLessThan(12);
});

test('a write that may have happened begins a version, and keeps that of the certain writes', () => {
  const versions = createRepositoryVersions()('https://registry.test');
  const before = { current: versions.current(named(0)), written: versions.written(named(0)) };
  versions.doubt(named(0));
  expect(versions.current(named(0))).not.toBe(before.current);
  expect([versions.written(named(0)), versions.doubts(named(0))]).toEqual([before.written, 1]);
  versions.increment(named(0));
  expect(versions.written(named(0))).not.toBe(before.written);
});

test('two repositories never have the same version', () => {
  const versions = createRepositoryVersions()('https://registry.test');
  const names = Array.from({ length: 2_000 }, (_, index) => named(index));
  expect(new Set(names.map(versions.current)).size).toBe(2_000);
  expect(new Set(names.map(versions.written)).size).toBe(2_000);
});

test('a certain write is told to the fleet; one through another replica counts like an own one, and is not told again', () => {
  const told: number[] = [];
  const heard: Parameters<FleetWrites['listen']>[] = [];
  const versions = createRepositoryVersions({
    tell: (counter) => void told.push(counter),
    listen: (...listener) => void heard.push(listener),
  })('https://registry.test');
  const [onWrite, onGap] = heard[0] ?? expect.unreachable();
  versions.doubt(named(0));
  expect(told).toEqual([]);
  versions.increment(named(0));
  const [counter] = told;
  const own = versions.written(named(0));
  onWrite(counter ?? -1);
  expect(versions.written(named(0))).not.toBe(own);
  const [written, current] = [versions.written(named(1)), versions.current(named(1))];
  onGap();
  expect(versions.written(named(1))).toBe(written);
  expect(versions.current(named(1))).not.toBe(current);
  expect(told).toHaveLength(1);
});

test('the routes to one registry share the versions of its repositories, and those to another registry have their own', () => {
  const versionsOf = createRepositoryVersions();
  const [one, same, other] = ['https://one.test', 'https://one.test', 'https://two.test'].map(versionsOf);
  const before = [same?.written(named(0)), other?.written(named(0))];
  one?.increment(named(0));
  expect(same?.written(named(0))).not.toBe(before[0]);
  expect(other?.written(named(0))).toBe(before[1]);
});
