import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfText, bytesOfValue, ownText } from '../../../src/cache/memory-bytes.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Bytes of memory that each of many values takes, with its place in a list: the middle of three times, because garbage
 * of the tests' own runner may become free meanwhile.
 */
function measured(make: (index: number) => unknown): number {
  return [0, 1, 2].map(() => measuredOnce(make)).toSorted((one, other) => one - other)[1] ?? 0;
}

function measuredOnce(make: (index: number) => unknown): number {
  const count = 5_000;
  const used = () => {
    for (let times = 0; times < 3; times += 1) collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const values = new Array<unknown>(count).fill(undefined);
  const before = used();
  for (let index = 0; index < count; index += 1) values[index] = make(index);
  const after = used();
  return values.length === count ? (after - before) / count : 0;
}

const text = (index: number, length: number) => [String(index), 'x'.repeat(length)].join(' ');

describe('the bytes of a value', () => {
  test.each<[string, (index: number) => unknown]>([
    ['a text', (index) => text(index, 70)],
    ['a text of two bytes a character', (index) => [String(index), 'ж'.repeat(70)].join(' ')],
    [
      'a grant',
      (index) => ({ digest: text(index, 71), contentType: text(index, 60), public: true, at: 1e12 + index }),
    ],
    ['an object made of another', (index) => ({ ...{ a: text(index, 10), b: 1 }, at: 1e12 + index })],
    ['JSON', (index) => JSON.parse(`{"recipe":{"root":"${text(index, 71)}","list":[["a",{"n":${index}}]]}}`)],
    ['a list', (index) => Array.from({ length: 50 }, (_, at) => text(index * at, 20))],
    ['bytes', () => new Uint8Array(2_000)],
    ['no bytes', () => new Uint8Array()],
    ['a part of a buffer', () => new Uint8Array(2_000).subarray(0, 10)],
    ['a map', (index) => new Map(Array.from({ length: 100 }, (_, at) => [text(at, 20), text(index, 71)]))],
    ['a set', (index) => new Set(Array.from({ length: 100 }, (_, at) => text(at + index, 20)))],
  ])('%s: no fewer than V8 takes, and not twice as many', (_, make) => {
    const counted = bytesOfValue(make(12_345));
    const taken = measured(make);
    expect(taken).toBeLessThan(1.05 * counted);
    expect(counted).toBeLessThan(2 * taken);
  });
});

describe('a text of its own', () => {
  test('is the same text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (each) => ownText(each) === each));
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (each) => ownText(each) === each));
  });

  test('does not keep a longer text in memory that it is a part of', () => {
    const part = (index: number) =>
      String.fromCharCode(97 + (index % 26))
        .repeat(5_000)
        .concat(`${index}`)
        .slice(100, 140);
    expect(measured((index) => ownText(part(index)))).toBeLessThan(bytesOfText('x'.repeat(40)) + 16);
  });
});
