import { bareMediaType } from '../../converters/media-types.ts';
import { type ErrorCode, hasCode, RegistryError } from '../errors.ts';
import { discard, readWords } from './body.ts';
import { certificateRefused } from './network-errors.ts';

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
  const { status } = response;
  const reason = await readReason(response);
  // A challenge is kept while upstream fails (registry/ping.ts), and notices are about one response.
  const notices = status === 401 ? {} : noticesOf(response);
  const headers = { ...notices, ...pickHeaders(response, ['www-authenticate', 'retry-after']) };
  const message = `Upstream answered ${status} for the ${what}${reason.text === undefined ? '' : `: ${reason.text}`}.`;
  const codes: Readonly<Record<number, ErrorCode>> = {
    401: 'UNAUTHORIZED',
    403: 'DENIED',
    404: reason.code === 'NAME_UNKNOWN' ? 'NAME_UNKNOWN' : unknown,
    429: 'RATE_LIMITED',
  };
  const code = reason.isGateway && status !== 429 ? undefined : codes[status];
  return new RegistryError(code ?? 'UPSTREAM_ANSWER', message, {
    headers,
    detail: { upstreamStatus: status, ...(reason.code === undefined ? {} : { upstreamCode: reason.code }) },
  });
}

/** The code of a registry's error, and the reason for a person. A body may have neither. */
interface Reason {
  readonly code?: string;
  readonly text?: string;
  /** Whether a gateway responded in place of the registry: only 429 tells about the client. */
  readonly isGateway?: true;
}

/** Whether a response says that it is JSON. The page of a gateway does not. */
export function isJson({ headers }: Response): boolean {
  return /[/+]json$/.test(bareMediaType(headers.get('content-type') ?? ''));
}

/** Whether a response is a web page, of a gateway or a login, whatever its status. */
export function isWebPage({ headers }: Pick<Response, 'headers'>): boolean {
  return bareMediaType(headers.get('content-type') ?? '') === 'text/html';
}

/**
 * Whether a response says that a write succeeded. The specification has 201; docker-registry 2.0 answers a manifest with
 * 202 (distribution 2.0, registry/handlers/images.go, PutImageManifest), and containerd takes 200 and 204, too (containerd
 * 1.6, remotes/docker/pusher.go, Commit).
 */
export function isWritten(response: Pick<Response, 'ok' | 'headers'>): boolean {
  return response.ok && !isWebPage(response);
}

/** Reads the reason of an error from its body, shortened; `{}` for a body that tells none. */
async function readReason(response: Response): Promise<Reason> {
  const { status } = response;
  const isText = bareMediaType(response.headers.get('content-type') ?? '') === 'text/plain';
  // The reason of a limit is for the user to read, whatever type a gateway gives it.
  if (status !== 400 && status !== 429 && !isText && !isJson(response)) {
    await discard(response);
    return cloudflareReason(status, '') ?? {};
  }
  try {
    const text = new TextDecoder().decode(await readWords(response));
    const gateway = isText && cloudflareReason(status, text);
    if (gateway) return gateway;
    return status === 400 && !isJson(response) ? connectionReason(text) : specReason(text);
  } catch {
    return {};
  }
}

interface ErrorBody {
  readonly errors?: readonly { readonly code?: unknown; readonly message?: unknown }[];
  /** Of Docker Hub's token server. */
  readonly details?: unknown;
  /** Of OAuth 2 (RFC 6749, section 5.2). */
  readonly error_description?: unknown;
  readonly error?: unknown;
}

/** The reason of a token server for a status other than 200, with a colon before it; "" where it tells none. */
export async function tokenReason(response: Response): Promise<string> {
  const { text } = await readReason(response);
  return text === undefined ? '' : `: ${text}`;
}

/** The first error of a registry's body (distribution-spec, "Error Codes"). @throws SyntaxError */
function specReason(body: string): Reason {
  const { errors, details, error_description: description, error } = JSON.parse(body) as ErrorBody;
  const first = errors?.[0];
  if (typeof first?.code !== 'string') {
    const text = [details, description, error].find((each) => typeof each === 'string' && each !== '');
    return typeof text === 'string' ? { text: printable(text).replace(/\.$/, '') } : {};
  }
  const code = printable(first.code);
  const message = typeof first.message === 'string' ? printable(first.message).replace(/\.$/, '') : '';
  return { code, text: message === '' ? code : `${code}, ${message}` };
}

const wrongScheme = 'it speaks TLS there; check http:// against https://';

/**
 * Sentences with which servers answer 400 to each request of a connection that is wrong, with the thing to do: nginx
 * (src/http/ngx_http_special_response.c), Go (net/http/server.go), which is docker-registry, and Apache
 * (modules/ssl/ssl_engine_kernel.c).
 */
const connectionReasons: readonly (readonly [sentence: string, reason: string])[] = [
  [
    'No required SSL certificate was sent',
    'it wants a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY',
  ],
  ['The SSL certificate error', certificateRefused],
  ['The plain HTTP request was sent to HTTPS port', wrongScheme],
  ['Client sent an HTTP request to an HTTPS server', wrongScheme],
  ["You're speaking plain HTTP to an SSL-enabled server port", wrongScheme],
];

function connectionReason(text: string): Reason {
  const [, reason] = connectionReasons.find(([sentence]) => text.includes(sentence)) ?? [];
  return reason === undefined ? {} : { text: reason };
}

/**
 * Advice for errors that Cloudflare sends itself (Cloudflare, "Cloudflare 5xx errors", "Cloudflare 1xxx errors"; Workers,
 * "Known issues", Fetch to IP addresses, and "Errors and exceptions"). A Worker gets them where Node gets no connection.
 */
const cloudflareAdvice: Readonly<Record<string, string>> = {
  521: 'it refuses the connection; check that it runs, its port and its firewall',
  522: 'no connection in time; check firewalls and the address',
  523: 'there is no route; check firewalls and the address',
  524: 'it had no answer in time; check that it is healthy',
  525: 'the TLS handshake failed; check https:// against http://, and its certificate',
  526: 'its certificate is not trusted, has expired or is for another name',
  530: 'its host name or its tunnel leads nowhere; check both',
  1003: 'a Worker reaches no IP address; put a host name into REGSHIFT_UPSTREAM',
  1016: 'the host name leads nowhere; check its name and the DNS',
  1033: 'its tunnel is down; check cloudflared',
  1042: 'the host is a Worker in the same zone; give that Worker a custom domain',
};

/**
 * @param text the body. That of such an error has its number alone, for a client that accepts no HTML. Without a body, as
 *   by HEAD, the statuses tell that no other server has.
 */
function cloudflareReason(status: number, text: string): Reason | undefined {
  const [, written] = /^error code: (\d{3,4})\s*$/.exec(text) ?? [];
  const code = written ?? (status in cloudflareAdvice ? String(status) : undefined);
  if (code === undefined) return undefined;
  const advice = cloudflareAdvice[code];
  const where = `error ${code} of Cloudflare, in place of the registry`;
  return { isGateway: true, text: advice === undefined ? where : `${where}: ${advice}` };
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

/**
 * Whether an error is a refusal for a reason that only its body has: 412 for an image that a policy blocks, 451, 400. 401,
 * 403, 404 and 429 say enough by themselves.
 */
export function isRefusalWithReason(error: unknown): boolean {
  if (!hasCode(error, 'UPSTREAM_ANSWER')) return false;
  const status = Number(error.detail?.upstreamStatus);
  return status >= 400 && status < 500;
}

/** Whether an error says that upstream does not have the requested content. */
export function isAbsence(error: unknown): boolean {
  return hasCode(error, 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN');
}

/** Whether an error says that upstream refuses the request for lack of a right. */
export function isRefused(error: unknown): boolean {
  return hasCode(error, 'UNAUTHORIZED', 'DENIED');
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
