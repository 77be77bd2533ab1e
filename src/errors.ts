import { ConversionError } from '../converters/errors.ts';

/**
 * The kinds of error of a request. `httpErrors` is the only table from a kind to its HTTP status and to the error code
 * of the distribution spec (1.1, "Error Codes").
 */
export type ErrorCode =
  | 'NAME_INVALID'
  | 'REFERENCE_INVALID'
  | 'NAME_UNKNOWN'
  | 'MANIFEST_UNKNOWN'
  | 'BLOB_UNKNOWN'
  | 'UPLOAD_UNKNOWN'
  | 'ENDPOINT_UNKNOWN'
  /** A pushed manifest is incomplete. */
  | 'MANIFEST_INVALID'
  /** The registry lacks a layer or config of a pushed manifest, which regshift needs for another form of it. */
  | 'MANIFEST_BLOB_UNKNOWN'
  /** A pushed manifest, or the content that regshift must make for it, is beyond a limit. */
  | 'MANIFEST_TOO_LARGE'
  /** The image exists, but this client cannot get it. Docker 1.8–20.10 shows the message of no other error. */
  | 'UNSUPPORTED'
  /** The manifest is schema 1 without a signature, and the settings refuse those. */
  | 'UNSIGNED'
  | 'METHOD_NOT_ALLOWED'
  /** The body of a request for a token that regshift cannot read. */
  | 'TOKEN_REQUEST_INVALID'
  /** A notification of a registry that regshift cannot read. */
  | 'EVENT_INVALID'
  | 'EVENT_TOO_LARGE'
  | 'EVENT_TIMEOUT'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'RATE_LIMITED'
  /** Content of upstream is invalid: a digest that does not match, or a manifest that cannot be parsed. */
  | 'UPSTREAM_CONTENT'
  /** The response of upstream violates the protocol. */
  | 'UPSTREAM_ANSWER'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TIMEOUT'
  /** More requests are in flight than the operator allows. */
  | 'OVERLOADED'
  | 'MISCONFIGURED'
  | 'INTERNAL';

/** The HTTP status and the error code of a response. */
export interface HttpError {
  readonly status: number;
  readonly code: string;
}

export const httpErrors: Readonly<Record<ErrorCode, HttpError>> = {
  NAME_INVALID: { status: 400, code: 'NAME_INVALID' },
  REFERENCE_INVALID: { status: 400, code: 'DIGEST_INVALID' },
  NAME_UNKNOWN: { status: 404, code: 'NAME_UNKNOWN' },
  MANIFEST_UNKNOWN: { status: 404, code: 'MANIFEST_UNKNOWN' },
  BLOB_UNKNOWN: { status: 404, code: 'BLOB_UNKNOWN' },
  UPLOAD_UNKNOWN: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
  ENDPOINT_UNKNOWN: { status: 404, code: 'NAME_UNKNOWN' },
  MANIFEST_INVALID: { status: 400, code: 'MANIFEST_INVALID' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' },
  MANIFEST_TOO_LARGE: { status: 413, code: 'MANIFEST_INVALID' },
  UNSUPPORTED: { status: 404, code: 'UNSUPPORTED' },
  UNSIGNED: { status: 404, code: 'UNSUPPORTED' },
  EVENT_INVALID: { status: 400, code: 'UNSUPPORTED' },
  EVENT_TOO_LARGE: { status: 413, code: 'UNSUPPORTED' },
  EVENT_TIMEOUT: { status: 408, code: 'UNSUPPORTED' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'UNSUPPORTED' },
  TOKEN_REQUEST_INVALID: { status: 400, code: 'UNSUPPORTED' },
  UNAUTHORIZED: { status: 401, code: 'UNAUTHORIZED' },
  DENIED: { status: 403, code: 'DENIED' },
  RATE_LIMITED: { status: 429, code: 'TOOMANYREQUESTS' },
  UPSTREAM_CONTENT: { status: 502, code: 'MANIFEST_INVALID' },
  UPSTREAM_ANSWER: { status: 502, code: 'UNKNOWN' },
  UPSTREAM_UNREACHABLE: { status: 502, code: 'UNKNOWN' },
  UPSTREAM_TIMEOUT: { status: 504, code: 'UNKNOWN' },
  OVERLOADED: { status: 503, code: 'UNAVAILABLE' },
  MISCONFIGURED: { status: 503, code: 'UNKNOWN' },
  INTERNAL: { status: 500, code: 'UNKNOWN' },
};

export interface RegistryErrorOptions {
  readonly cause?: unknown;
  /** Facts for machines; never a credential. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
  /** Headers that the response must have: `WWW-Authenticate`, `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * True if upstream fails or limits requests, so that an earlier result may be used. A refusal of upstream stays one.
 */
export function isUpstreamFailing(error: unknown): boolean {
  if (hasCode(error, 'UPSTREAM_ANSWER')) return Number(error.detail?.upstreamStatus ?? 500) >= 500;
  return hasCode(error, 'UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT', 'RATE_LIMITED');
}

/**
 * True if an error may depend on the credential that was used at upstream. Registries respond with 404 as well as 401
 * to a client without access, limit each login separately, and may fail with any status for one login only.
 */
export function isCallerSpecific(error: unknown): boolean {
  // A conversion may quote the error of upstream for a part of the image (conversion-ports.ts).
  return error instanceof ConversionError || hasCode(error, ...callerCodes);
}

const callerCodes = [
  ...(['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT'] as const),
  ...(['UNAUTHORIZED', 'DENIED', 'RATE_LIMITED'] as const),
  ...(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN', 'UPSTREAM_ANSWER'] as const),
];

/** The error that the program throws for a request. Only `converters/` has errors of its own. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message for the user: the problem, the expectation and what to do. It contains no token or password. */
  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

/** Whether an error is one of the program with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is RegistryError {
  return error instanceof RegistryError && codes.includes(error.code);
}

/** The reason in `detail` of the error of a request that has used up its upstream requests. */
export const budgetSpent = 'SUBREQUESTS';

/** The reason in `detail` of the error that ends one search, whose own budget has no requests left. */
export const searchEnded = 'SEARCH_ENDED';

/**
 * True if one request may make no more upstream requests. Other requests that wait for the same work may have some
 * left.
 */
export function isSpent(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  return error.detail?.reason === budgetSpent || error.detail?.reason === searchEnded;
}

/** Whether an error is a decision: neither a failure of upstream, nor the end of the requests that one request may make. */
export function isDecided(error: unknown): error is RegistryError {
  return error instanceof RegistryError && !isUpstreamFailing(error) && !isSpent(error);
}

/** Makes a function for `catch`: undefined in place of the errors that `isIgnored` accepts. @throws any other error. */
export function ignoring(isIgnored: (error: unknown) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!isIgnored(error)) throw error;
  };
}

/** Conversion errors that upstream has to answer for: its bytes are not those of the digest, or not the signed ones. */
const upstreamFaults: ReadonlySet<string> = new Set(['DIGEST_MISMATCH', 'SIGNATURE']);

/**
 * The code of a conversion error for clients. Docker from 1.10 on shows the text of a 404 UNSUPPORTED, and hides that of
 * a 502.
 */
export function codeOfConversion({ code }: ConversionError): 'UPSTREAM_CONTENT' | 'UNSUPPORTED' {
  return upstreamFaults.has(code) ? 'UPSTREAM_CONTENT' : 'UNSUPPORTED';
}

/** Whether the image exists and this client can have no form of it. */
export function isUnsupported(error: unknown): boolean {
  if (error instanceof ConversionError) return codeOfConversion(error) === 'UNSUPPORTED';
  return hasCode(error, 'UNSUPPORTED');
}
