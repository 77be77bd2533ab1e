import { expect } from 'vitest';
import { amd64, arm64, sampleImage } from '../../../src/sample-registry/image.ts';
import type { PulledImage } from '../simulators/simulator.ts';
import { getsOfManifests, pullsSpent } from './docker-hub.ts';
import { basicOf, type Habit, type Upstream } from './habit.ts';

/** The same files in the same layers, and what a container is made from. */
export function expectSample(pulled: PulledImage, sample: string, architecture = 'amd64'): void {
  const source = sampleImage(sample, architecture === 'amd64' ? amd64 : arm64);
  expect(pulled.layers).toEqual(source.layers.map(({ tar }) => tar));
  const { os, config } = JSON.parse(new TextDecoder().decode(source.config));
  expect(pulled.config).toMatchObject({ os, architecture, config });
}

/**
 * Each server was shown no more than it is to see: storage no login at all, a token server the login that it is for,
 * and Docker Hub's registry tokens alone.
 */
export function expectNoLeak({ registry, storage, tokenServer }: Upstream, { login }: Habit): void {
  const shown = (server: typeof storage) => [...new Set(server?.asked.map((each) => each.authorization))];
  const allowed = [undefined, ...(login ? [basicOf(login)] : [])];
  expect(shown(storage).filter((value) => value !== undefined)).toEqual([]);
  expect(shown(tokenServer).filter((value) => !allowed.includes(value))).toEqual([]);
  if (!tokenServer) return;
  expect(shown(registry).filter((value) => value !== undefined && !value.startsWith('Bearer '))).toEqual([]);
}

/**
 * Nobody was asked to compress, for lengths and ranges would not hold. (Node's fetch adds another `identity` to a
 * request with a Range, as the Fetch standard says.)
 */
export function expectIdentity({ registry, storage }: Upstream): void {
  const asked = [registry, storage].flatMap((server) => server?.asked ?? []);
  const encodings = [...new Set(asked.map(({ acceptEncoding }) => acceptEncoding))];
  expect(encodings.filter((each) => !/^identity(, identity)?$/.test(each ?? ''))).toEqual([]);
}

/** Each manifest was asked for once, and no more of them than these. */
export function expectPulls(upstream: Upstream, count: number): void {
  const pulls = pullsSpent(upstream);
  expect(new Set(pulls).size).toBe(pulls.length);
  expect(getsOfManifests(upstream.registry)).toHaveLength(pulls.length);
  expect(pulls).toHaveLength(count);
}
