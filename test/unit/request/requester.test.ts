import { describe, expect, it } from 'vitest';
import { requesterLogin } from '../../../src/registry/client-request.ts';
import { clientAddressOf } from '../../../src/request/requester.ts';

const isTrusted = (address: string) => address.startsWith('10.');

describe('the address of a client', () => {
  it.each([
    ['192.0.2.7', null, '192.0.2.7'],
    ['192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', 'spoofed, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1, 10.0.0.9', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['10.0.0.1', '[2001:db8:1:2:3:4:5:6]:4711', '2001:db8:1:2::/64'],
    ['10.0.0.1', null, '10.0.0.1'],
    ['10.0.0.1', ' , ', '10.0.0.1'],
    ['::ffff:192.0.2.7', null, '192.0.2.7'],
    ['::ffff:c000:207', null, '192.0.2.7'],
    ['10.0.0.1', '::FFFF:198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '0x7f.1', '0x7f.1'],
    ['2001:db8::1', null, '2001:db8:0:0::/64'],
    ['fe80::1%eth0', null, 'fe80:0:0:0::/64'],
    [undefined, null, ''],
  ])('%s with X-Forwarded-For %s is %s', (peer, forwardedFor, address) => {
    expect(clientAddressOf(peer, forwardedFor, isTrusted)).toBe(address);
  });
});

const tokenOf = (payload: object) => `Bearer e30.${btoa(JSON.stringify(payload)).replace(/=+$/, '')}.c2ln`;
const loginOf = (authorization?: string) =>
  requesterLogin(new Headers(authorization === undefined ? {} : { authorization }));

describe('the login of a client', () => {
  it('is empty without a login, and never the password itself', () => {
    expect(loginOf()).toBe('');
    expect(loginOf('Basic YWxpY2U6c2VjcmV0')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is the subject of a token, and empty for a token without one', () => {
    const alice = loginOf(tokenOf({ sub: 'alice', access: [1] }));
    expect(alice).toBe(loginOf(tokenOf({ sub: 'alice', access: [2] })));
    expect(alice).not.toBe(loginOf(tokenOf({ sub: 'bob' })));
    expect(loginOf(tokenOf({ sub: '', exp: 1 }))).toBe('');
    expect(loginOf(tokenOf({ exp: 2 }))).toBe('');
  });

  it('is the token itself if it cannot be parsed', () => {
    expect(loginOf('Bearer opaque')).not.toBe(loginOf('Bearer other'));
    expect(loginOf('Bearer a.b.c')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is read from a token alone, with any spaces around it', () => {
    const token = tokenOf({ sub: 'alice' }).slice('Bearer '.length);
    const alice = loginOf(`Bearer ${token}`);
    for (const same of [`bearer   ${token}`, `Bearer ${token.replace('c2ln', '')}`])
      expect(loginOf(same)).toBe(alice);
    const others = ['Negotiate bearer ', 'Bearer x ', 'Bearer'].map((before) => `${before}${token}`);
    for (const other of [...others, `Bearer ${token} x`, `Bearer ${token}.d.e`])
      expect(loginOf(other)).not.toBe(alice);
  });
});
