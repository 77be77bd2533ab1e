import { compact, type RawDocument, type RawObject } from './document.ts';
import { escapeHtml, quote } from './lossless-text.ts';

/**
 * Writes an object as Go writes a `map[string]*json.RawMessage`: keys sorted by their UTF-8 bytes, values without white
 * space and otherwise as written, HTML characters escaped. Of a repeated key the last value stays.
 * @param dropped keys to leave out.
 * @param set members to set, with values as JSON text.
 * @returns JSON text.
 */
export function sortedObject(
  document: RawDocument,
  object: RawObject,
  dropped: ReadonlySet<string>,
  set: ReadonlyMap<string, string>,
): string {
  const values = new Map<string, string>();
  for (const [key, { value }] of new Map(object.members.map((each) => [each.key, each]))) {
    if (!dropped.has(key)) values.set(key, escapeHtml(compact(document, value)));
  }
  for (const [key, value] of set) values.set(key, value);
  const sorted = [...values].sort(([left], [right]) => compareUtf8(left, right));
  return `{${sorted.map(([key, value]) => `${quote(key)}:${value}`).join(',')}}`;
}

/** Compares by UTF-8 bytes, which is the order of code points. JavaScript compares by UTF-16 units. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = byteOrder(left.charCodeAt(index)) - byteOrder(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Sorts surrogates (of characters beyond U+FFFF) after all other units. */
function byteOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
