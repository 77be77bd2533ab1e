import { type ErrorCode, RegistryError } from '../errors.ts';
import { discard, readBounded } from './body.ts';

interface SpecError {
  readonly code: string;
  readonly message: string;
}

/**
 * Turns a response with an error status into the error that the client gets. The status stays, with
 * `WWW-Authenticate` and `Retry-After`, so that clients do what they would do in front of upstream itself.
 * @param what the name of the resource in the message, like `manifest latest of library/busybox`.
 * @param unknown the code for 404; NAME_UNKNOWN where upstream's body says that.
 */
export async function errorFromResponse(
  response: Response,
  what: string,
  unknown: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN',
): Promise<RegistryError> {
  const spec = await readSpecError(response);
  const { status } = response;
  // A challenge is kept while upstream fails (registry/ping.ts), and notices are about one response.
  const notices = status === 401 ? {} : noticesOf(response);
  const headers = { ...notices, ...pickHeaders(response, ['www-authenticate', 'retry-after']) };
  const message = `Upstream answered ${status} for the ${what}${spec ? `: ${spec.code}, ${spec.message.replace(/\.$/, '')}` : ''}.`;
  const codes: Readonly<Record<number, ErrorCode>> = {
    401: 'UNAUTHORIZED',
    403: 'DENIED',
    404: spec?.code === 'NAME_UNKNOWN' ? 'NAME_UNKNOWN' : unknown,
    429: 'RATE_LIMITED',
  };
  return new RegistryError(codes[status] ?? 'UPSTREAM_ANSWER', message, {
    headers,
    detail: { upstreamStatus: status },
  });
}

/** Milliseconds for the body of an error: the status is enough, so a client does not wait long for the text. */
const errorDeadlineMs = 3_000;

/** Reads the first error of a body (distribution-spec, "Error Codes"), shortened; `undefined` for another body. */
async function readSpecError(response: Response): Promise<SpecError | undefined> {
  // The reason of a limit is for the user to read, whatever type a gateway gives it.
  if (response.status !== 429 && !/json/i.test(response.headers.get('content-type') ?? '')) {
    await discard(response);
    return undefined;
  }
  try {
    const bytes = await readBounded(response, 65_536, 'an error', errorDeadlineMs);
    const body = JSON.parse(new TextDecoder().decode(bytes)) as {
      errors?: { code?: unknown; message?: unknown }[];
    };
    const first = body.errors?.[0];
    if (typeof first?.code !== 'string') return undefined;
    return { code: printable(first.code), message: printable(String(first.message ?? '')) };
  } catch {
    return undefined;
  }
}

/** Upstream's text ends up on a user's terminal: only printable characters stay, and at most 200 of them. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 200);
}

/** Whether an error is one that `errorFromResponse` made of this status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof RegistryError && error.detail?.upstreamStatus === status;
}

/** Whether an error says that upstream does not have the requested content. */
export function isAbsence(error: unknown): boolean {
  const codes = ['BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'];
  return error instanceof RegistryError && codes.includes(error.code);
}

/** Whether an error says that upstream refuses the request for lack of a right. */
export function isRefused(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED');
}

/** The headers of these names that a request or a response has. */
export function pickHeaders(
  { headers }: { readonly headers: Headers },
  names: readonly string[],
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) found[name] = value;
  }
  return found;
}

/**
 * The headers that tell a client about limits, deprecations and the registry's abilities: `OCI-*` (distribution-spec
 * 1.1), `RateLimit-*` and `X-RateLimit-*`, `Retry-After`, `Warning` and `X-Content-Type-Options`. Headers about the
 * connection or the origin do not pass (`Set-Cookie`, `Alt-Svc`, `Strict-Transport-Security`, `Clear-Site-Data`), and
 * `docker-ratelimit-source` does not, which is the address of the proxy.
 */
export function noticesOf({ headers }: { readonly headers: Headers }): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of headers) if (isNotice.test(name)) found[name] = value;
  return found;
}

const isNotice = /^(oci-|(x-)?ratelimit-|(retry-after|warning|x-content-type-options)$)/;
