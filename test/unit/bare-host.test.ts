import { urlToHttpOptions } from 'node:url';
import { expect, it } from 'vitest';
import { bareHost } from '../../src/bare-host.ts';

it.each([
  ['http://[::1]:5000/v2/', '::1'],
  ['https://[2001:db8::7]', '2001:db8::7'],
  ['redis://registry.example:6379', 'registry.example'],
  ['http://127.0.0.1', '127.0.0.1'],
])('of %s is %s', (url, host) => {
  expect(bareHost(new URL(url))).toBe(host);
  // Node connects to the same host.
  expect(urlToHttpOptions(new URL(url)).hostname).toBe(host);
});
