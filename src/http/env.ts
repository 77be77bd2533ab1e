import type { RegistryError } from '../errors.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { StartedRequest } from '../registry/context.ts';
import type { RequestAuthority } from '../routing/authority.ts';
import type { RepositoryMapping } from '../routing/repository-names.ts';
import type { VirtualHost } from '../routing/virtual-hosts.ts';
import type { Route } from './route.ts';

/** The types of the Hono application: `context.env`, and the keys of `context.get` and `context.set`. */
export interface Env {
  readonly Bindings: ClientConnection;
  readonly Variables: Variables;
}

/** The state of one request. Middleware sets each value before the handlers that read it. */
interface Variables {
  /** Scheme, host and port that the client used (`accessLog`). */
  readonly authority: RequestAuthority;
  /** The request as it arrived, without a credential for upstream (`accessLog`; for API v1 again by `openSession`). */
  readonly received: ClientRequest;
  /** The routes that the request's host and port reach (`virtualHost`). */
  readonly host: VirtualHost<Route>;
  /** The route that answers (`enterRoute`). */
  readonly route: Route;
  /** The request with the credential and the public address of its route (`enterRoute`). */
  readonly request: ClientRequest;
  /** The repository that the path names, by both of its names (`repository`). */
  readonly mapping: RepositoryMapping;
  /** API v1: the route whose keys open the session of the request; undefined for a request without one. */
  readonly sessionRoute: Route | undefined;
  /** API v1: the error of the first reading of a path that has two. */
  readonly mismatch: RegistryError | undefined;
  /** The error that the response reports, for the log. */
  readonly failure: unknown;
}

/** A client's connection: facts that only the runtime knows, and faster ways of the runtime to answer. */
export interface ClientConnection {
  /** The IP address of the other end, on Workers as Cloudflare reports it; absent where the runtime does not know it. */
  readonly peerAddress?: string | undefined;
  /** The local port of the connection; absent where the runtime does not know it. */
  readonly port?: number | undefined;
  /** The key of the response cache, where a runtime can compute it faster than it makes a Request. */
  readonly cacheKey?: string | undefined;
  /** The state of a request that `ResponseCache.revalidate` has begun; absent for any other request. */
  readonly started?: StartedRequest | undefined;
  /** Sets a header of the response. Changing the headers of a Response costs Node a third of its speed. */
  readonly setHeader?: (name: string, value: string) => void;
  /** Calls back when the response has been sent or was cut. Absent where the runtime does not report that. */
  readonly whenSent?: (finished: (sent: SentResponse) => void) => void;
}

/** The end of a response. */
export interface SentResponse {
  /** Bytes on the connection, headers included. */
  readonly bytes: number;
  /** True if the response ended before it was whole: the client left, or its source failed. */
  readonly aborted: boolean;
}

/** Calls back when the response has been sent; at once where the runtime does not report that. */
export function responseFinished(
  connection: ClientConnection,
  finished: (sent?: SentResponse) => void,
): void {
  if (connection.whenSent) connection.whenSent(finished);
  else finished();
}
