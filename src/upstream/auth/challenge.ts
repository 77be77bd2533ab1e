/** One way in that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case; of a name given twice, which RFC 9110 §11.2 forbids, the first one counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Real challenges have 100–400 characters; an answer's headers must not buy more work than this. */
const limit = 8192;

const separators = /[\s,]*/y;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
/** Whitespace around "=" is bad (RFC 9110 §5.6.3, BWS), and must be read all the same. */
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;
/** Some registries leave out the quotes even around a URL, so more is read than RFC 9110's `token`. */
const bare = /[^\s,"]+/y;
const token68 = /[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const toNextComma = /[^,"]*/y;

/**
 * Reads `WWW-Authenticate` (RFC 9110 §11.6.1): several challenges in one header, or several headers as `Headers`
 * joins them, by a comma. A comma therefore divides challenges, parameters and nothing at all, and only what
 * follows a name tells which. Never throws: what cannot be read is left out, from an open quote on to the end,
 * for half a realm would be another server. A token68 is read past, since no scheme of registries has one.
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

/** An undefined value means that a quote never ends. */
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

/** Cuts at a comma, so that no value is used of which only the beginning was read. */
function withinLimit(header: string): string {
  return header.length <= limit ? header : header.slice(0, Math.max(0, header.lastIndexOf(',', limit)));
}

interface Reader {
  /** The match of a sticky pattern here, which is then read past; undefined when there is none. */
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
