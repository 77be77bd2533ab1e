import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteRange } from '../../../src/http/range.ts';

describe('a Range header, against 10 bytes', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=3-', { start: 3, end: 9 }],
    ['bytes=9-', { start: 9, end: 9 }],
    // Docker ≤ 1.9 resumes API v1 layers one past the end.
    ['bytes=4-10', { start: 4, end: 9 }],
    ['bytes=4-999999999999999', { start: 4, end: 9 }],
    ['bytes=-1', { start: 9, end: 9 }],
    ['bytes=-10', { start: 0, end: 9 }],
    ['bytes=-11', { start: 0, end: 9 }],
    [' bytes=2-3 ', { start: 2, end: 3 }],
  ])('%s: a part', (header, part) => {
    expect(byteRange(header, 10)).toEqual(part);
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s: cannot be satisfied', (header) => {
    expect(byteRange(header, 10)).toBe('unsatisfiable');
  });

  it.each([
    null,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'bytes 0-1',
    'octets=0-1',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1-2-3',
    'bytes=9999999999999999-',
  ])('%s: ignored', (header) => {
    expect(byteRange(header, 10)).toBeUndefined();
  });

  it('of nothing: no part of it can be had', () => {
    expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(byteRange('bytes=-5', 0)).toBe('unsatisfiable');
    expect(byteRange(null, 0)).toBeUndefined();
  });

  it('never leads out of the bytes there are', () => {
    const number = fc.nat({ max: 40 }).map(String);
    const text = fc.tuple(fc.option(number, { nil: '' }), fc.option(number, { nil: '' }));
    fc.assert(
      fc.property(text, fc.nat({ max: 30 }), ([first, last], length) => {
        const range = byteRange(`bytes=${first}-${last}`, length);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start).toBeLessThanOrEqual(range.end);
        expect(range.end).toBeLessThan(length);
      }),
    );
  });
});
