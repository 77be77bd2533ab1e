import { expect } from 'vitest';
import { amd64, arm64, sampleImage } from '../../../src/sample-registry/image.ts';
import type { PulledImage } from '../simulators/simulator.ts';
import { getsOfManifests, pullsSpent } from './docker-hub.ts';
import { basicOf, type Habit, type Upstream } from './habit.ts';

/** Checks that the pulled image has the sample's files in the same layers, and the same run configuration. */
export function expectSample(pulled: PulledImage, sample: string, architecture = 'amd64'): void {
  const source = sampleImage(sample, architecture === 'amd64' ? amd64 : arm64);
  expect(pulled.layers).toEqual(source.layers.map(({ tar }) => tar));
  const { os, config } = JSON.parse(new TextDecoder().decode(source.config));
  expect(pulled.config).toMatchObject({ os, architecture, config });
}

/**
 * Checks that each server got only the credentials for it: storage gets none, a token server its own login, and Docker
 * Hub's registry only tokens.
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
 * Checks that no request asked for compression, which would break lengths and ranges. (Node's fetch adds another
 * `identity` to a request with a Range, as the Fetch standard requires.)
 */
export function expectIdentity({ registry, storage }: Upstream): void {
  const asked = [registry, storage].flatMap((server) => server?.asked ?? []);
  const encodings = [...new Set(asked.map(({ acceptEncoding }) => acceptEncoding))];
  expect(encodings.filter((each) => !/^identity(, identity)?$/.test(each ?? ''))).toEqual([]);
}

/** Checks that each manifest was requested once, and that their number is `count`. */
export function expectPulls(upstream: Upstream, count: number): void {
  const pulls = pullsSpent(upstream);
  expect(new Set(pulls).size).toBe(pulls.length);
  expect(getsOfManifests(upstream.registry)).toHaveLength(pulls.length);
  expect(pulls).toHaveLength(count);
}
