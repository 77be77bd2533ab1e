/** A value to write as JSON. Records keep the order of their members, and raw text is copied. */
export type Json = string | number | readonly Json[] | JsonRecord | RawJson;

/** Ordered members. A JavaScript object would move integer-like keys to the front and mishandle `__proto__`. */
export interface JsonRecord {
  readonly members: readonly (readonly [key: string, value: Json])[];
}

/** JSON text that the writer copies as it is. */
export interface RawJson {
  readonly raw: string;
}

/** Makes a record; leaves out members whose value is `undefined`. */
export function record(members: Readonly<Record<string, Json | undefined>>): JsonRecord {
  return {
    members: Object.entries(members).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  };
}

/** Writes a value as JSON text. @param indent spaces per level; 0 for compact text. */
export function writeJson(value: Json, indent: number): string {
  return write(value, indent === 0 ? '' : '\n', ' '.repeat(indent));
}

/** @param line the line break and indent of the value's level, or "" for compact text. */
function write(value: Json, line: string, step: string): string {
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(value);
  if ('raw' in value) return value.raw;
  const inner = line + step;
  if ('members' in value) {
    const colon = line === '' ? ':' : ': ';
    const members = value.members.map(
      ([key, each]) => `${JSON.stringify(key)}${colon}${write(each, inner, step)}`,
    );
    return bracket('{', members, '}', line, inner);
  }
  return bracket(
    '[',
    value.map((each) => write(each, inner, step)),
    ']',
    line,
    inner,
  );
}

function bracket(open: string, items: readonly string[], close: string, line: string, inner: string): string {
  return items.length === 0 ? open + close : `${open}${inner}${items.join(`,${inner}`)}${line}${close}`;
}
