import { describe, expect, it } from 'vitest';
import { isInRanges, parseIpRange } from '../../../src/routing/ip-range.ts';

function isIn(range: string, address: string): boolean {
  const parsed = parseIpRange(range);
  if (parsed === undefined) throw new Error(`${range} is no range`);
  return isInRanges([parsed], address);
}

describe('an IP range', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['172.16.0.0/12', '172.31.255.1', true],
    ['172.16.0.0/12', '172.32.0.1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['fd00::/8', 'fdab:cd::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', true],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    // Node writes the address of an IPv4 peer of a dual-stack socket like this.
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '::FFFF:a01:203', true],
    ['::ffff:0:0/96', '192.0.2.7', true],
    ['::/0', '192.0.2.7', true],
    // The deprecated IPv4-compatible address (RFC 4291, section 2.5.5.1) differs from the IPv4-mapped address.
    ['::192.0.2.7', '::c000:207', true],
    ['::192.0.2.7', '192.0.2.7', false],
    ['192.0.2.7', '::192.0.2.7', false],
    ['64:ff9b::192.0.2.7', '64:ff9b::c000:207', true],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', true],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', true],
    ['::2:3:4:5:6:192.0.2.7', '0:2:3:4:5:6:c000:207', true],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['10.0.0.0/31', '10.0.0.1', true],
    ['10.0.0.0/31', '10.0.0.2', false],
    ['10.0.0.0/008', '10.9.9.9', true],
    ['127.0.0.0/8', '127.0.0.1%lo', true],
    ['fe80::/10', 'fe80::1%', true],
    ['fe80::/10', 'fe80::1%en-0.7', true],
    ['::/0', '2001:db8::1', true],
    ['::/0', '::ffff:010.0.0.1', false],
    ['::/0', ' ::1', false],
    ['10.0.0.0/8', '10.0.0.1/8', false],
    ['10.0.0.0/8', '10.1', false],
    ['10.0.0.0/8', '0xa.0.0.1', false],
    ['10.0.0.0/8', 'unknown', false],
    ['10.0.0.0/8', '', false],
  ])('%s contains %s: %s', (range, address, expected) => {
    expect(isIn(range, address)).toBe(expected);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.256',
    '010.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '1:2:3',
    ':::',
    '10.0.0.0/8/8',
    '10.0.0.0/0008',
    '10.0.0.0/-1',
    ' 10.0.0.0/8',
    '10.0.0.1\n',
    '10.0.0.1.',
    '::ffff:10.0.0.256',
    '::ffff:010.0.0.1',
    '::ffff:0x7f.0.0.1',
    '::10.0.0',
    '::10.0.0.1:1',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7:10.0.0.1',
    '00001::',
    'fe80::1%eth0',
    'fe80::1%eth0/64',
    '[::1]',
    '10.0.0.0/',
    'localhost',
    '::1]/@evil.test[',
  ])('%j is not a range', (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });
});
