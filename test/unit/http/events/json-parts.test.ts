import { expect, it } from 'vitest';
import { createJsonPartCounter } from '../../../../src/http/events/json-parts.ts';

/** The parts of a text that comes in chunks of so many bytes. */
function partsOf(text: string, chunk = text.length): number {
  const counter = createJsonPartCounter();
  const bytes = new TextEncoder().encode(text);
  let parts = 0;
  for (let at = 0; at < bytes.length; at += chunk) parts = counter.add(bytes.subarray(at, at + chunk));
  return parts;
}

/** The number of values in parsed JSON. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, each) => sum + valuesIn(each), 0);
}

it.each([
  ['an empty document', '', 0],
  ['one value', '17', 0],
  ['empty objects', '{"events":[{},{},{}]}', 7],
  ['a string with all characters that count', '"a,b[c{d\\"e,\\\\"', 0],
  ['a string that ends in a backslash, and a value after it', '["\\\\",1]', 2],
  ['keys with such characters', '{"a,[{":1,"\\",":2}', 2],
  ['other alphabets', '["é，［｛","語"]', 2],
])('%s', (_, text, parts) => {
  for (let chunk = 1; chunk <= Math.max(1, text.length); chunk += 1) expect(partsOf(text, chunk)).toBe(parts);
});

it('is no less than the values without the first one, and no more than twice as many', () => {
  const documents = [[], {}, [[[]]], { a: [{}, [], 'x', null, { b: {} }] }, Array(50).fill({}), 'text', 0];
  for (const document of documents) {
    const values = valuesIn(document);
    const parts = partsOf(JSON.stringify(document));
    expect(parts, JSON.stringify(document)).toBeGreaterThanOrEqual(values - 1);
    expect(parts, JSON.stringify(document)).toBeLessThanOrEqual(2 * values);
  }
});
