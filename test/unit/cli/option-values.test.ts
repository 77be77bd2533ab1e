import { expect, it } from 'vitest';
import {
  readBytesOption,
  readPlatformOption,
  readPortOption,
  readSecondsOption,
} from '../../../src/cli/option-values.ts';

it.each([
  ['0', 0],
  ['500', 500],
  ['10GB', 10_000_000_000],
  ['10GiB', 10 * 2 ** 30],
  ['10 gib', 10 * 2 ** 30],
  ['1.5KiB', 1_536],
  ['2tb', 2_000_000_000_000],
  ['7B', 7],
])('%s is %i bytes', (text, bytes) => {
  expect(readBytesOption(text)).toBe(bytes);
});

it.each(['', 'all', '-1', '1.5', '1e3', '10G', '10 G iB', '0x10', '9007199254740993', '99999TiB'])(
  '"%s" is no number of bytes',
  (text) => {
    expect(() => readBytesOption(text)).toThrow('like 10GB or 10GiB');
  },
);

it.each(['', ' ', '0x50', '1e3', '-1', '+80', '80.5', '65536', 'http'])('"%s" is no port', (text) => {
  expect(() => readPortOption(text)).toThrow('It must be a port from 0 to 65535.');
});

it.each(['', '0x10', '1e3', '-1', 'soon', '9'.repeat(400)])('"%s" is no number of seconds', (text) => {
  expect(() => readSecondsOption(text)).toThrow('It must be a number of seconds, 0 or more.');
});

it('ports and seconds are decimal numbers', () => {
  expect([readPortOption('0'), readPortOption('65535'), readSecondsOption('0.5')]).toEqual([0, 65_535, 0.5]);
});

it.each([
  ['linux/x86_64', { os: 'linux', architecture: 'amd64' }],
  ['Linux/AMD64', { os: 'linux', architecture: 'amd64' }],
  ['linux/i386', { os: 'linux', architecture: '386' }],
  ['linux/i686', { os: 'linux', architecture: '386' }],
  ['linux/armv7l', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['linux/armv6l', { os: 'linux', architecture: 'arm', variant: 'v6' }],
  ['linux/aarch64', { os: 'linux', architecture: 'arm64' }],
  ['linux/aarch64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  ['linux/armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['linux/armel', { os: 'linux', architecture: 'arm', variant: 'v6' }],
  ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['windows/amd64', { os: 'windows', architecture: 'amd64' }],
])('%s is a platform', (text, platform) => {
  expect(readPlatformOption(text)).toEqual(platform);
});
