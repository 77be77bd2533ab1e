import { describe, expect, it } from 'vitest';
import { literalAddress, reachedAddress, scopeOf } from '../../../src/upstream/network-scope.ts';

describe('scopeOf', () => {
  it.each([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '0.0.0.0', '0.1.2.3', '::', '::ffff:127.0.0.1']],
    [
      'loopback',
      ['64:ff9b::7f00:1', '::ffff:0:7f00:1', '2002:7f00:1::', '::127.0.0.1', 'not an address', ''],
    ],
    ['link-local', ['169.254.0.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1']],
    ['link-local', ['::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254', '2002:a9fe:a9fe::1']],
    [
      'link-local',
      ['fd00:ec2::254', 'fd00:ec2::23', '100.100.100.200', '::ffff:100.100.100.200', '168.63.129.16'],
    ],
    ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1']],
    ['private', ['100.127.255.255', 'fc00::1', 'fdff::1', 'fec0::1', '64:ff9b:1::1', '64:ff9b::a00:1']],
    ['private', ['192.0.0.192', '198.18.0.1', '240.0.0.1', '255.255.255.255', '::ffff:10.0.0.1']],
    [
      'public',
      ['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '169.253.1.1'],
    ],
    ['public', ['100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '1.0.0.0', '203.0.113.1']],
    ['public', ['2001:db8::1', 'fe00::1', 'fbff::1', '64:ff9b::808:808', '::ffff:8.8.8.8', '2002:808:808::']],
  ] as const)('is %s for %j', (scope, addresses) => {
    expect(addresses.map((address) => [address, scopeOf(address)])).toEqual(
      addresses.map((address) => [address, scope]),
    );
  });
});

describe('reachedAddress', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::a00:1', '10.0.0.1'],
    ['2002:a00:1::5', '10.0.0.1'],
    ['fd00::1', 'fd00::1'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (address, reached) => {
    expect(reachedAddress(address)).toBe(reached);
  });
});

describe('literalAddress', () => {
  it.each([
    ['http://127.0.0.1:5000/x', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://127.0.0.1./', '127.0.0.1'],
    ['http://①②⑦.0.0.1/', '127.0.0.1'],
    ['http://[::FFFF:169.254.169.254]/', '::ffff:a9fe:a9fe'],
    ['http://LOCALHOST/', '127.0.0.1'],
    ['http://localhost./', '127.0.0.1'],
    ['http://a.b.localhost/', '127.0.0.1'],
    ['http://notlocalhost/', undefined],
    ['http://localhost.example/', undefined],
    ['http://10.0.0.1.nip.io/', undefined],
    ['http://registry/', undefined],
  ])('of %s is %s', (url, address) => {
    expect(literalAddress(new URL(url))).toBe(address);
  });
});
