/**
 * Bytes of memory that values take in V8 without pointer compression, as in Node and, at most, in workerd. They were
 * measured in Node 24.18 as the growth of `heapUsed` and `external` after garbage collection, for 20,000 to 100,000
 * equal values in an array: the figures here are the largest that were seen.
 */
const bytesOf = {
  /** A string is a header and its characters, rounded up to 8 bytes. */
  text: 24,
  /** A number that is no small integer is an object. */
  number: 16,
  /** An object made by a spread has room for four more properties. */
  object: 56,
  array: 48,
  slot: 8,
  map: 200,
  mapEntry: 48,
  /** A Uint8Array with its ArrayBuffer. */
  bytes: 208,
  closure: 64,
};

/** An entry of a table: its place in the table's map and lists, which grow by half or to the double. */
export const tableEntryBytes = 104;

/** Fragmentation: bodies that come and go leave gaps that the system's allocator cannot fill, measured as half as much. */
const allocationFactor = 3 / 2;

/** V8 keeps a string with a character above U+00FF in two bytes for each character, and others in one. */
const wide = /[^\0-\xff]/;

export function bytesOfText(text: string): number {
  return bytesOf.text + (wide.test(text) ? 2 : 1) * text.length;
}

/** @param bytes a part of a buffer keeps the whole buffer in memory. */
export function bytesOfBuffer({ buffer }: Uint8Array): number {
  return bytesOf.bytes + Math.ceil(buffer.byteLength * allocationFactor);
}

/**
 * Bytes of memory of a value with all that it holds: JSON values, bytes, Maps and Sets. Parts that several values share
 * count for each. Variables of closures do not count.
 */
export function bytesOfValue(value: unknown): number {
  if (typeof value === 'string') return bytesOfText(value);
  if (typeof value === 'number' || typeof value === 'bigint') return bytesOf.number;
  if (typeof value === 'function') return bytesOf.closure;
  if (typeof value !== 'object' || value === null) return 0;
  if (value instanceof Uint8Array) return bytesOfBuffer(value);
  if (Array.isArray(value)) return sumOf(value, bytesOf.array, bytesOf.slot);
  if (value instanceof Map) {
    return sumOf(value.keys(), sumOf(value.values(), bytesOf.map, 0), bytesOf.mapEntry);
  }
  if (value instanceof Set) return sumOf(value, bytesOf.map, bytesOf.mapEntry);
  return sumOf(Object.values(value), bytesOf.object, bytesOf.slot);
}

function sumOf(values: Iterable<unknown>, own: number, each: number): number {
  let sum = own;
  for (const value of values) sum += each + bytesOfValue(value);
  return sum;
}

/**
 * Copies a text into memory of its own. A part of 13 characters or more of a longer text is a reference to the whole
 * (V8, src/objects/string.h, `SlicedString::kMinLength`), and texts joined by `+` are a tree of their pieces.
 */
export function ownText<Text extends string>(text: Text): Text {
  // `join` makes flat text of two pieces or more.
  return text.length < 2 ? text : ([text.slice(0, 1), text.slice(1)].join('') as Text);
}
