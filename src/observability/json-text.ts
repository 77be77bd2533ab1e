/**
 * A JSON document, in which invisible characters are escapes of JSON, so that the values stay the same: they control a
 * terminal (U+009B), show text in another order (U+202E), and end a line for some readers of logs (U+0085, U+2028).
 */
export function jsonText(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent);
  // Most documents are ASCII, and this look costs a tenth of the other one.
  return /[^\n\x20-\x7e]/.test(json) ? json.replace(invisible, escaped) : json;
}

/** JSON.stringify escapes control characters in strings, except DEL and C1. Its line breaks stay. */
const invisible = /[\x7f-\x9f]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(characters: string): string {
  return characters
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
