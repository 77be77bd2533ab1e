/** A value to be laid out as JSON: records keep the order of their entries, and raw text goes in as it is. */
export type Json = string | number | readonly Json[] | JsonRecord | RawJson;

/** Entries rather than an object: objects move integer-like keys to the front and trip over `__proto__`. */
export interface JsonRecord {
  readonly members: readonly (readonly [key: string, value: Json])[];
}

/** JSON text of a value that was read; it is not laid out again. */
export interface RawJson {
  readonly raw: string;
}

/** A record of the members that have a value. */
export function record(members: Readonly<Record<string, Json | undefined>>): JsonRecord {
  return {
    members: Object.entries(members).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  };
}

/** @param indent spaces for each level; 0 is compact. */
export function writeJson(value: Json, indent: number): string {
  return write(value, indent === 0 ? '' : '\n', ' '.repeat(indent));
}

/** @param line the line break and indent of the value's own level, or "" for compact. */
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
