import type { IpRange } from '../config/ip-range.ts';
import type { Connection } from '../routes/connection.ts';
import { reachedOrigin } from '../routes/own-address.ts';

/** Where a request has come in. */
export interface Place {
  /** Scheme and host as the client wrote them. */
  readonly origin: string;
  /** Of the Host header, without its port. */
  readonly hostname: string;
  /** Of the Host header, or what its scheme has where it names none. */
  readonly hostPort: number;
  /** That the proxy listens on. */
  readonly port: number;
}

/** `X-Forwarded-Host` counts as the Host where a trusted proxy sends it. */
export function placeOf(
  request: Request,
  trustedProxies: readonly IpRange[],
  connection: Connection | undefined,
): Place {
  const origin = reachedOrigin(request, trustedProxies, connection);
  const { hostname, port, protocol } = new URL(origin);
  const hostPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  // Workers know no port but that of the URL.
  return { origin, hostname, hostPort, port: connection?.port ?? hostPort };
}
