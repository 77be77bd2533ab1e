/** One challenge of `WWW-Authenticate`. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case; of a name given twice, which RFC 9110 §11.2 forbids, the first one counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Characters that are read of a header. Real challenges have 100–400; longer headers must not cost more work. */
const limit = 8192;

const separators = /[\s,]*/y;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
/** Whitespace around "=" is bad (RFC 9110 §5.6.3, BWS), and recipients must accept it. */
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;
/** Some registries leave out the quotes even around a URL, so this accepts more than RFC 9110's `token`. */
const bare = /[^\s,"]+/y;
const token68 = /[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const toNextComma = /[^,"]*/y;

/**
 * Reads `WWW-Authenticate` (RFC 9110 §11.6.1): several challenges in one header, or several headers as `Headers`
 * joins them, by a comma. A comma therefore divides challenges, parameters or nothing at all, and only the text after
 * a name tells which. Never throws: unreadable text is left out. An open quote leaves out all text up to the end,
 * because half a realm would be another server. A token68 is skipped, since no scheme of registries has one.
 */
export function parseChallenges(header: string): Challenge[] {
  const reader = createReader(withinLimit(header));
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (;;) {
    reader.take(separators);
    if (reader.atEnd()) return challenges;
    const name = reader.take(token)?.[0].toLowerCase();
    if (name === undefined) {
      if (!skipGarbage(reader)) return challenges;
    } else if (reader.take(equals) !== undefined) {
      const value = takeValue(reader);
      if (value === undefined) return challenges;
      const parameters = challenges.at(-1)?.parameters;
      if (parameters !== undefined && !parameters.has(name)) parameters.set(name, value);
    } else {
      challenges.push({ scheme: name, parameters: new Map() });
      reader.take(token68);
    }
  }
}

/** Reads a value. @returns undefined for a quote that does not end. */
function takeValue(reader: Reader): string | undefined {
  const string = reader.take(quoted)?.[1];
  if (string !== undefined) return string.replace(/\\(.)/gs, '$1');
  if (reader.startsWith('"')) return undefined;
  return reader.take(bare)?.[0] ?? '';
}

function skipGarbage(reader: Reader): boolean {
  if (reader.take(quoted) !== undefined) return true;
  if (reader.startsWith('"')) return false;
  reader.take(toNextComma);
  return true;
}

/** Cuts a long header at a comma, so that no value is cut in the middle. */
function withinLimit(header: string): string {
  return header.length <= limit ? header : header.slice(0, Math.max(0, header.lastIndexOf(',', limit)));
}

interface Reader {
  /** Reads the match of a sticky pattern at the current position; undefined when there is none. */
  take(pattern: RegExp): RegExpExecArray | undefined;
  startsWith(text: string): boolean;
  atEnd(): boolean;
}

function createReader(text: string): Reader {
  let position = 0;
  return {
    take(pattern) {
      pattern.lastIndex = position;
      const match = pattern.exec(text);
      if (match === null) return undefined;
      position += match[0].length;
      return match;
    },
    startsWith: (prefix) => text.startsWith(prefix, position),
    atEnd: () => position >= text.length,
  };
}
