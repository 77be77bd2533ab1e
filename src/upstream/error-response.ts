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
  const text = await readText(response);
  const spec = specErrorIn(text);
  const { status } = response;
  // A challenge is kept while upstream fails (registry/ping.ts), and notices are about one response.
  const notices = status === 401 ? {} : noticesOf(response);
  const headers = { ...notices, ...pickHeaders(response, ['www-authenticate', 'retry-after']) };
  const reason = spec ? `${spec.code}, ${spec.message.replace(/\.$/, '')}` : reasonOfGateway(status, text);
  const message = `Upstream answered ${status} for the ${what}${reason === undefined ? '' : `: ${reason}`}.`;
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

/** Reads the body of an error; "" for a page that tells nothing. */
async function readText(response: Response): Promise<string> {
  // The reason of a limit is for the user to read, whatever type a gateway gives it.
  const isWanted = response.status === 429 || response.status === 400;
  if (!isWanted && !/json/i.test(response.headers.get('content-type') ?? '')) {
    await discard(response);
    return '';
  }
  const bytes = await readBounded(response, 65_536, 'an error', errorDeadlineMs).catch(
    () => new Uint8Array(),
  );
  return new TextDecoder().decode(bytes);
}

/** The first error of a body (distribution-spec, "Error Codes"), shortened; `undefined` for another body. */
function specErrorIn(text: string): SpecError | undefined {
  try {
    const body = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const first = body.errors?.[0];
    if (typeof first?.code !== 'string') return undefined;
    return { code: printable(first.code), message: printable(String(first.message ?? '')) };
  } catch {
    return undefined;
  }
}

/**
 * The texts with which servers answer 400 before they know the path: nginx (`ngx_http_error_495_page` to `_497_page`),
 * Go (net/http, server.go, `badRequestError`) and Apache (mod_ssl, ssl_engine_kernel.c).
 */
const gatewayReasons: readonly (readonly [text: RegExp, reason: string])[] = [
  [
    /plain HTTP request was sent to HTTPS port|sent an HTTP request to an HTTPS server|speaking plain HTTP to an SSL-enabled/,
    'it speaks TLS at this port; check http:// against https://',
  ],
  [
    /No required SSL certificate was sent/,
    'it wants a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY',
  ],
  [/SSL certificate error/, 'it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT'],
];

function reasonOfGateway(status: number, text: string): string | undefined {
  return status === 400 ? gatewayReasons.find(([known]) => known.test(text))?.[1] : undefined;
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
