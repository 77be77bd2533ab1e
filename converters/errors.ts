/** Kinds of conversion errors. One table in `src` maps each code to an HTTP status and a registry error code. */
export type ConversionCode =
  /** The bytes are not JSON. */
  | 'UNREADABLE'
  /** The bytes are JSON, but not a manifest of a known dialect. */
  | 'UNKNOWN_DIALECT'
  /** The document has two meanings, so two programs could see two images (CVE-2021-41190). */
  | 'AMBIGUOUS'
  /** A field has a value that its dialect does not allow. */
  | 'INVALID'
  /** Content has another digest than its descriptor states. */
  | 'DIGEST_MISMATCH'
  /** A signature is missing, unreadable or wrong. */
  | 'SIGNATURE'
  /** A document is too large, too deep, or names too many things (`limits`). */
  | 'LIMIT'
  /** The manifest is valid, but the requested form cannot hold it. */
  | 'INEXPRESSIBLE'
  /** The manifest is not a container image (a chart, a signature, an attestation…). */
  | 'NOT_AN_IMAGE'
  /** An index has no image for the requested platform. */
  | 'NO_PLATFORM'
  /** A port does not have content that the conversion needs. */
  | 'UNAVAILABLE';

/** Manifest formats by the names that messages, settings and recipes use. `v1` is registry API v1. */
export type Dialect = 'generic' | 'schema1' | 'schema2' | 'oci' | 'v1';

/** The data of a ConversionError. */
export interface ConversionProblem {
  readonly code: ConversionCode;
  /** One or two sentences for people: the problem, and the remedy if there is one. */
  readonly message: string;
  /** The dialect being read or written. */
  readonly dialect?: Dialect | undefined;
  /** Path in the document, such as `$.history[2].created`. */
  readonly path?: string | undefined;
  /** The value at that path, shortened. */
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
}

/** The error for input that cannot be converted. `converters/` throws no other error, except errors of ports. */
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

/** The result of `read`; undefined where it throws a ConversionError, of `code` if that is given. @throws any other error. */
export function unlessUnreadable<Read>(read: () => Read, code?: ConversionCode): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConversionError && (code === undefined || error.code === code)) return undefined;
    throw error;
  }
}

function sentence(problem: ConversionProblem): string {
  const where = problem.path === undefined ? '' : ` at ${printable(problem.path)}`;
  const found = problem.found === undefined ? '' : ` Found ${withoutStop(printable(problem.found))}.`;
  const expected = problem.expected === undefined ? '' : ` Expected ${printable(problem.expected)}.`;
  return `${withoutStop(problem.message)}${where}.${found}${expected}`;
}

/** Text without its full stop, because a sentence around it has one. */
function withoutStop(text: string): string {
  return text.replace(/(?<!\.)\.$/, '');
}

const maximumLength = 500;

/**
 * Shortens text and escapes its control characters. The author of an image controls this text, and messages reach
 * terminals and logs, which must not execute it.
 */
function printable(text: string): string {
  const cut = text.length > maximumLength ? `${text.slice(0, maximumLength - 3)}...` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** Quotes an untrusted value for a message: at most 80 characters of it, with control characters escaped. */
export function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(cut);
}
