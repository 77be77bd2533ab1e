import { RegistryError } from '../errors.ts';

const sender = 'have the registry, or the proxy in front of it,';
/** Two lengths of one body are a way to smuggle a response (RFC 9112, section 6.3, item 3), so Node reads none. */
const twoLengths = `its response has both Content-Length and Transfer-Encoding; ${sender} send one`;
const noTls = 'it does not speak TLS; check https:// against http://';
const untrusted =
  'its certificate is not trusted; name its authority in REGSHIFT_UPSTREAM_CA or NODE_EXTRA_CA_CERTS';
const oldTls = 'it does not speak TLS 1.2 or later; update it';
const certificateWanted =
  'it may want a client certificate; set REGSHIFT_UPSTREAM_CERT and REGSHIFT_UPSTREAM_KEY';
export const certificateRefused = 'it refuses the client certificate; check REGSHIFT_UPSTREAM_CERT';

/** Codes of Node's sockets, resolver and TLS, with their meaning for a person and the thing to check. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there; check that it runs, and the port'],
  ['ENOTFOUND', 'there is no such host; check its name and the DNS'],
  ['EAI_AGAIN', 'the DNS does not answer; check the resolver of this machine'],
  ['ECONNRESET', 'the connection was cut; check the port, proxies and TLS, then try again'],
  ['UND_ERR_SOCKET', 'the connection was cut; check the port, proxies and TLS, then try again'],
  ['ETIMEDOUT', 'no connection in time; check firewalls and the address'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time; check firewalls and the address'],
  ['EHOSTUNREACH', 'there is no route; check firewalls and the address'],
  ['ENETUNREACH', 'there is no route; check firewalls and the address'],
  ['EADDRNOTAVAIL', 'no local port or address is free for it; check the number of connections'],
  ['EMFILE', 'this process has too many open files; raise its limit (ulimit -n, LimitNOFILE)'],
  ['ENFILE', 'this machine has too many open files; raise its limit (fs.file-max)'],
  ['HPE_INVALID_CONTENT_LENGTH', twoLengths],
  ['HPE_INVALID_TRANSFER_ENCODING', twoLengths],
  ['HPE_UNEXPECTED_CONTENT_LENGTH', `its response has Content-Length twice; ${sender} send it once`],
  ['HPE_HEADER_OVERFLOW', `its response has more than 64 KiB of headers; ${sender} send fewer`],
  ['ERR_HTTP_INVALID_STATUS_CODE', `its response has a status that HTTP does not have; ${sender} mend it`],
  ['ERR_SSL_WRONG_VERSION_NUMBER', noTls],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet; check the clock of this machine'],
  ['INVALID_PURPOSE', 'its certificate is not for servers; renew it for server authentication'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name; check the host name'],
  ...[
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ].map((code) => [code, untrusted] as const),
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', noTls],
  ['HPE_INVALID_CONSTANT', 'it does not speak plain HTTP; check http:// against https://'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'it has no certificate for this name; check the host name'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', oldTls],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', oldTls],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', certificateWanted],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', certificateWanted],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', certificateRefused],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', certificateRefused],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', certificateRefused],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', certificateRefused],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', certificateRefused],
  ['ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', certificateRefused],
  ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', certificateRefused],
]);

/** Kinds of other codes: those of Node's parser, and those of `certificateReason`. The first that fits counts. */
const kinds: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/^HPE_/, `its response breaks the rules of HTTP/1.1; ${sender} mend it`],
  [/^X509_\w+_TOO_WEAK$/, 'its certificate is too weak: a key of less than 2048 bits, or SHA-1; renew it'],
  [/^X509_/, 'its certificate breaks a rule of X.509; renew it'],
];

/** An outbound proxy cannot be reached, or refuses a request. */
export class OutboundProxyError extends Error {
  /** Host and port of the proxy, without its login. */
  readonly proxy: string;
  /** The status with which the proxy refused; undefined if it did not answer. */
  readonly status: number | undefined;

  /** @param reason the proxy's status, or the error of the connection to it. */
  constructor({ host }: URL, reason: number | Error) {
    super('The outbound proxy failed', reason instanceof Error ? { cause: reason } : {});
    this.proxy = host;
    this.status = reason instanceof Error ? undefined : reason;
  }
}

/** Statuses with which a proxy refuses a request, with their meaning for a person. */
const refusals: ReadonlyMap<number, string> = new Map([
  // tinyproxy 1.11 answers a wrong login with 401.
  [401, 'it wants a login; put user:password@ into its URL, or correct it'],
  [407, 'it wants a login; put user:password@ into its URL, or correct it'],
  [403, 'it does not allow this host; ask its operator, or name the host in NO_PROXY'],
  // tinyproxy 1.11 answers so where others answer 502 or 503.
  [500, 'it cannot connect to this host; check its log'],
  [502, 'it cannot connect to this host; check its log'],
  [503, 'it cannot connect to this host; check its log'],
  [504, 'it cannot connect to this host in time; check its log'],
]);

/** The code of a network error with its meaning. */
function reasonOf(code: string | undefined): string {
  const usual = 'check the address, the network and TLS';
  if (code === undefined) return usual;
  const [, kind] = kinds.find(([pattern]) => pattern.test(code)) ?? [];
  return `${code}: ${meanings.get(code) ?? kind ?? usual}`;
}

function proxyReason({ proxy, status }: OutboundProxyError, code: string | undefined): string {
  const why =
    status === undefined
      ? reasonOf(code)
      : `status ${status}: ${refusals.get(status) ?? 'it refuses this host; check its log'}`;
  return `the outbound proxy ${proxy} failed: ${why}`;
}

/**
 * The error for a `fetch` that failed. The message has method and host, never path or query: a signed URL is a
 * credential. It has the error's code, and not its text.
 */
export function networkError(error: unknown, method: string, url: URL): RegistryError {
  const code = networkCode(error);
  const proxy = error instanceof OutboundProxyError ? error : undefined;
  const why = proxy ? proxyReason(proxy, code) : reasonOf(code);
  return new RegistryError('UPSTREAM_UNREACHABLE', `${method} to ${url.host} failed (${why}).`, {
    cause: error,
    detail: {
      method,
      host: url.host,
      ...(proxy ? { proxy: proxy.proxy } : {}),
      ...(code === undefined ? {} : { code }),
    },
  });
}

/** No byte has passed on a connection in either direction for too long. */
export class StandstillError extends Error {
  readonly code = 'ETIMEDOUT';
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super('The connection stood still');
    this.milliseconds = milliseconds;
  }
}

/**
 * Whether the other end closed the connection before it answered. The error of Workers has no code: it is `Network
 * connection lost.` with `retryable` (seen with workerd 1.20261102.1).
 */
export function isConnectionCut(error: unknown): boolean {
  if (['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(networkCode(error) ?? '')) return true;
  return error instanceof Error && (isRetryable(error) || isRetryable(error.cause));
}

const isRetryable = (error: unknown) => error instanceof Error && Reflect.get(error, 'retryable') === true;

/** Whether a body ended because no byte came for too long. */
export function isSilence(error: unknown): boolean {
  return networkCode(error) === 'ETIMEDOUT';
}

/** @param isFixed whether no setting changes the limit. */
export function timeoutError(milliseconds: number, method: string, url: URL, isFixed = false): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `${method} to ${url.host} had no answer within ${milliseconds / 1000} s. Check that it is healthy, and try again.${
      isFixed ? '' : ' REGSHIFT_UPSTREAM_TIMEOUT sets the limit.'
    }`,
    { detail: { method, host: url.host } },
  );
}

/** The error for a request that stood still before its response. */
export function standstillTimeout(
  { milliseconds }: StandstillError,
  method: string,
  url: URL,
): RegistryError {
  return new RegistryError(
    'UPSTREAM_TIMEOUT',
    `${method} to ${url.host} stood still: no byte was sent or received for ${milliseconds / 1000} s. Check that it is ` +
      'healthy, and try again. A REGSHIFT_UPSTREAM_TIMEOUT above 600 raises the limit.',
    { detail: { method, host: url.host } },
  );
}

/**
 * The error for a response that no registry or token server should send.
 * @param what the message after the host's name, like `answered 300`, without path and query.
 */
export function badResponseError(url: URL, what: string): RegistryError {
  const message = `${url.host} ${what}. Report this to the operator of ${url.host}.`;
  return new RegistryError('UPSTREAM_ANSWER', message, { detail: { host: url.host } });
}

/**
 * The reason of a TLS handshake that failed. Node names it by `ERR_SSL_` and OpenSSL's words, or, if the failure came
 * with a write, by EPROTO. Both messages have those words: `error:0A00010B:SSL routines:…:wrong version number:…`.
 */
function opensslReason(message: string): string | undefined {
  const [, words] = /:SSL routines:[^:]*:([^:]{3,60}):/.exec(message) ?? [];
  // OpenSSL 3.2 writes `ssl/tls alert handshake failure` in place of `sslv3 alert handshake failure`, so that Node's code
  // is `ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE`.
  return (
    words &&
    `ERR_SSL_${words
      .replace(/^ssl\/tls/, 'sslv3')
      .toUpperCase()
      .replace(/\W+/g, '_')}`
  );
}

/**
 * The reason why OpenSSL refuses a certificate, where Node has no name for it: its code is `UNSPECIFIED`, and its message has
 * OpenSSL's words, like `EE certificate key too weak` (openssl, crypto/x509/x509_txt.c).
 */
function certificateReason(message: string): string {
  return `X509_${message.slice(0, 60).toUpperCase().replace(/\W+/g, '_')}`;
}

/**
 * The code of a network error. Node throws only `TypeError: fetch failed` and puts the reason into `cause`, or, when it
 * has tried IPv6 and IPv4, into the errors of an AggregateError there.
 */
export function networkCode(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const { code, errors, cause } = current as Error & { code?: unknown; errors?: unknown };
    if (code === 'UNSPECIFIED') return certificateReason(current.message);
    const isTls = code === 'EPROTO' || (typeof code === 'string' && code.startsWith('ERR_SSL_'));
    const reason = isTls ? opensslReason(current.message) : undefined;
    if (reason !== undefined) return reason;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
    current = Array.isArray(errors) ? errors[0] : cause;
  }
  return undefined;
}
