import { ConversionError } from '../converters/errors.ts';

/**
 * What can go wrong with a request, as data. `wire` is the one table from code to HTTP status and to the error
 * code of the distribution spec (1.1, "Error Codes").
 */
export type ErrorCode =
  | 'NAME_INVALID'
  | 'REFERENCE_INVALID'
  | 'NAME_UNKNOWN'
  | 'MANIFEST_UNKNOWN'
  | 'BLOB_UNKNOWN'
  | 'UPLOAD_UNKNOWN'
  | 'ENDPOINT_UNKNOWN'
  /** A pushed manifest that did not arrive whole. */
  | 'MANIFEST_INVALID'
  | 'MANIFEST_TOO_LARGE'
  /** The image exists, and this client cannot have it: the one answer whose message Docker 1.8–20.10 shows. */
  | 'UNSUPPORTED'
  /** Stored as schema 1 without a signature, where that is refused. */
  | 'UNSIGNED'
  | 'METHOD_NOT_ALLOWED'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'RATE_LIMITED'
  /** What upstream stores is broken: a digest that does not match, a manifest that nobody can read. */
  | 'UPSTREAM_CONTENT'
  /** Upstream answered in a way that no registry should. */
  | 'UPSTREAM_ANSWER'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TIMEOUT'
  /** More requests are under way than the operator allows. */
  | 'OVERLOADED'
  | 'MISCONFIGURED'
  | 'INTERNAL';

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
  MANIFEST_TOO_LARGE: { status: 413, code: 'MANIFEST_INVALID' },
  UNSUPPORTED: { status: 404, code: 'UNSUPPORTED' },
  UNSIGNED: { status: 404, code: 'UNSUPPORTED' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'UNSUPPORTED' },
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
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Headers that must go with the answer: `WWW-Authenticate`, `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whether upstream is at fault or limits: what was known before may stand in. What it refuses stays refused. */
export function isUpstreamFailing(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  if (error.code === 'UPSTREAM_ANSWER') return Number(error.detail?.upstreamStatus ?? 500) >= 500;
  return ['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT', 'RATE_LIMITED'].includes(error.code);
}

/**
 * Whether an error speaks of the right of the caller that upstream was asked for, or may do so: registries answer 404
 * as well as 401 for what a caller may not see, limit each login by itself, and fail for one login with any status.
 */
export function isCallerSpecific(error: unknown): boolean {
  // A conversion quotes what upstream said of a part of the image (conversion-ports.ts), also within other words.
  if (error instanceof ConversionError) return true;
  return error instanceof RegistryError && ofCaller.has(error.code);
}

const ofCaller: ReadonlySet<ErrorCode> = new Set([
  ...(['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT'] as const),
  ...(['UNAUTHORIZED', 'DENIED', 'RATE_LIMITED'] as const),
  ...(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN', 'UPSTREAM_ANSWER'] as const),
]);

/** The only error that the program throws on purpose outside `converters/`. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message for the user: what was found, what was expected, what to do. No token, no password. */
  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

/** The reason, in `detail`, of an error of a request that has made as many upstream requests as it may. */
export const budgetSpent = 'SUBREQUESTS';

/** The reason, in `detail`, of an error that ends one search: its budget gives out no more requests. */
export const searchEnded = 'SEARCH_ENDED';

/** True if one request, and maybe no other that waits for the same work, may make no more upstream requests. */
export function isSpent(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  return error.detail?.reason === budgetSpent || error.detail?.reason === searchEnded;
}
