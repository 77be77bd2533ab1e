import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, systemClock, systemWallClock, type WallClock } from '../../../clock.ts';
import type { Log } from '../../../observability/log.ts';
import type { Certificate } from './certificate.ts';

type Validity = Pick<Certificate, 'notBefore' | 'notAfter'>;

/** Node's error for a connection whose TLS handshake failed. */
interface HandshakeError extends Error {
  readonly code?: string;
  /** The words of OpenSSL. */
  readonly reason?: string;
}

/**
 * The cause of a client that refuses a certificate whose dates are right. Go has one alert for an unknown authority and
 * for a wrong name (crypto/tls, `verifyServerCertificate`: bad_certificate).
 */
const untrusted =
  'the client does not trust the certificate in REGSHIFT_TLS_CERT: give the client the certificate of the authority, and ' +
  'this file the intermediate certificates. Or the client uses a name or an address that is not in subjectAltName of ' +
  'the certificate';

/**
 * The usual causes, by parts of Node's code (`ERR_SSL_` and the name of OpenSSL's reason): the alert of the client, or the
 * server's own fault.
 */
const causes: readonly (readonly [code: RegExp, cause: string])[] = [
  [/ALERT_(?:BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/, untrusted],
  [
    /NO_SHARED_CIPHER|NO_SUITABLE_SIGNATURE_ALGORITHM/,
    'the client does not support the kind of key of the certificate, or no cipher of this server: use an RSA or ECDSA key',
  ],
  [
    /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|ALERT_PROTOCOL_VERSION/,
    'the client does not support TLS 1.2, which is the oldest version here',
  ],
  [
    /NO_APPLICATION_PROTOCOL/,
    'the client offers no HTTP/1.1 (ALPN): let it, or the proxy in front, connect by HTTP/1.1',
  ],
  [/SSL_HTTP_REQUEST/, 'the client sent plain HTTP: use https:// here'],
  [/HANDSHAKE_TIMEOUT/, 'the client did not end the handshake in time'],
];

const otherCause = 'the client and this server did not agree';

/** One line a minute for each cause, because a client may repeat its fault without end. */
const logMs = 60_000;

/**
 * Logs failed TLS handshakes of clients. They never become requests, so no other line of the log has them, and the
 * client prints a message that seldom names the cause. A connection that closes without a word is not logged, because
 * load balancers probe ports so.
 * @param served the certificate that is served now.
 * @returns a function that watches a server. All servers of a process share one limit.
 */
export function createHandshakeLog(
  log: Log,
  served: () => Validity | undefined,
  clock: Clock = systemClock,
  wallClock: WallClock = systemWallClock,
): (server: Server) => void {
  const entries = [...causes.map(([, cause]) => cause), otherCause];
  const state = new Map(entries.map((cause) => [cause, { since: Number.NEGATIVE_INFINITY, more: 0 }]));
  const failed = (error: HandshakeError, socket: Socket) => {
    const { code = '', reason = error.message } = error;
    if (code === 'ECONNRESET' || code === 'EPIPE') return;
    const cause = causes.find(([known]) => known.test(code))?.[1] ?? otherCause;
    const last = state.get(cause);
    if (last && clock() - last.since < logMs) {
      last.more += 1;
      return;
    }
    const more = last?.more ? { unlogged: last.more } : {};
    state.set(cause, { since: clock(), more: 0 });
    const wrongDate = cause === untrusted ? dateCause(served(), wallClock()) : undefined;
    log('warn', 'a TLS handshake failed', {
      clientAddress: socket.remoteAddress,
      reason,
      cause: wrongDate ?? cause,
      ...more,
    });
  };
  return (server) => server.on('tlsClientError', failed);
}

/** Every client refuses a certificate outside of its dates, and many send the alert for an unknown authority then. */
function dateCause(certificate: Validity | undefined, now: Date): string | undefined {
  if (certificate === undefined) return undefined;
  const { notBefore, notAfter } = certificate;
  const day = (date: number) => new Date(date).toISOString().slice(0, 10);
  if (now.getTime() > notAfter)
    return `the certificate in REGSHIFT_TLS_CERT expired on ${day(notAfter)}: put a renewed certificate there`;
  if (now.getTime() < notBefore)
    return `the certificate in REGSHIFT_TLS_CERT is not valid before ${day(notBefore)}: check the clock of this machine`;
  return undefined;
}
