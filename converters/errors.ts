/**
 * What a converter can refuse, as data. `src/errors.ts` has the one table that turns a code into
 * an HTTP status and a registry error code.
 */
export type ConversionCode =
  /** The bytes are not JSON. */
  | 'UNREADABLE'
  /** JSON, but a manifest of no dialect that is known here. */
  | 'UNKNOWN_DIALECT'
  /** The document can be read in two ways, so that two programs may see two images (CVE-2021-41190). */
  | 'AMBIGUOUS'
  /** A field holds something other than its dialect allows. */
  | 'INVALID'
  /** Content is not what its digest says. */
  | 'DIGEST_MISMATCH'
  /** A signature is missing, unreadable or wrong. */
  | 'SIGNATURE'
  /** Larger, deeper or more than the limits allow. */
  | 'LIMIT'
  /** Well-formed, but not expressible in the form asked for. */
  | 'INEXPRESSIBLE'
  /** Not a container image (a chart, a signature, an attestation…). */
  | 'NOT_AN_IMAGE'
  /** No entry of an index fits the platform asked for. */
  | 'NO_PLATFORM'
  /** A port of the caller could not give what the conversion needs. */
  | 'UNAVAILABLE';

/** The dialects by the name used in messages, settings and recipes. */
export type Dialect = 'generic' | 'schema1' | 'schema2' | 'oci' | 'v1';

/** What a ConversionError is made of. */
export interface ConversionProblem {
  readonly code: ConversionCode;
  /** One sentence or two for a person: what is wrong, and what to do where something can be done. */
  readonly message: string;
  /** The dialect being read or written. */
  readonly dialect?: Dialect | undefined;
  /** Where in the document, like `$.history[2].created`. */
  readonly path?: string | undefined;
  /** What was there, shortened. */
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
}

/** The only error that leaves `converters/` for input that cannot be converted. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly code: ConversionCode;
  readonly dialect: Dialect | undefined;
  readonly path: string | undefined;
  readonly found: string | undefined;
  readonly expected: string | undefined;

  constructor(problem: ConversionProblem, options?: { cause?: unknown }) {
    super(sentence(problem), options);
    this.code = problem.code;
    this.dialect = problem.dialect;
    this.path = problem.path;
    this.found = problem.found;
    this.expected = problem.expected;
  }
}

function sentence(problem: ConversionProblem): string {
  const where = problem.path === undefined ? '' : ` at ${shown(problem.path)}`;
  const found = problem.found === undefined ? '' : ` Found ${shown(problem.found)}.`;
  const expected = problem.expected === undefined ? '' : ` Expected ${shown(problem.expected)}.`;
  return `${problem.message.replace(/\.$/, '')}${where}.${found}${expected}`;
}

const most = 500;

/** Whoever pushes an image has written it, and it ends up on terminals and in logs: nothing there may obey it. */
function shown(text: string): string {
  const cut = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** Shortens a value of unknown origin for a message: at most 80 characters, control characters shown. */
export function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(cut);
}
