import { expect, it } from 'vitest';
import { fitting, type Platform } from '../../converters/platform.ts';

const platform = (architecture: string, variant?: string): Platform => ({
  os: 'linux',
  architecture,
  ...(variant === undefined ? {} : { variant }),
});

it.each(['v99', 'constructor', '__proto__', 'toString'])(
  'a variant that no table has fits itself: %s',
  (name) => {
    const offered = [platform('arm', 'v7'), platform('arm', name), platform('arm')].map((each) => ({
      platform: each,
    }));
    expect(fitting(platform('arm', name), offered)).toEqual([offered[1], offered[2]]);
  },
);

it.each(['s390x', 'constructor', '__proto__'])(
  'an architecture that no table has fits itself: %s',
  (name) => {
    const offered = [platform(name, 'v2'), platform(name)].map((each) => ({ platform: each }));
    expect(fitting(platform(name), offered)).toEqual([offered[1], offered[0]]);
  },
);

it.each([
  ['amd64', 'x86_64'],
  ['amd64', 'AMD64'],
  ['x86_64', 'amd64'],
  ['386', 'i686'],
  ['arm64', 'aarch64'],
  ['arm', 'armhf'],
])('%s runs an entry for %s', (wanted, named) => {
  const offered = [{ platform: platform('s390x') }, { platform: platform(named) }];
  expect(fitting(platform(wanted), offered)).toEqual([offered[1]]);
});

it('a variant without its v is the variant', () => {
  const offered = ['7', '6', 'V5'].map((variant) => ({ platform: platform('arm', variant) }));
  expect(fitting(platform('arm', 'v6'), offered)).toEqual([offered[1], offered[2]]);
});
