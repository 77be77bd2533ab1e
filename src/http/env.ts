import type { StartedRequest } from '../registry/context.ts';

/** What a runtime knows of a connection, and does for it faster than by way of a Request and a Response. */
export interface ClientConnection {
  /** The IP address of the other end; absent where the runtime does not know it. */
  readonly peerAddress?: string | undefined;
  /** The client's address where something that the runtime trusts tells it; else that is `peerAddress`. */
  readonly clientAddress?: string | undefined;
  /** The port that it came in at; absent where the runtime does not know it. */
  readonly port?: number | undefined;
  /** All of a request that its answer depends on, where a runtime can tell that faster than it makes a Request. */
  readonly cacheKey?: string | undefined;
  /** What was done for the request before it was made one; absent where nothing was. */
  readonly started?: StartedRequest | undefined;
  /** Sets a header of the answer: to change those of a Response costs Node a third of its speed. */
  readonly setHeader?: (name: string, value: string) => void;
  /** Calls back when the answer has gone out or was cut. Absent where the runtime does not tell. */
  readonly whenSent?: (ended: (sent: SentResponse) => void) => void;
}

/** What became of an answer. */
export interface SentResponse {
  /** On the connection, headers included. */
  readonly bytes: number;
  /** It ended before it was whole: the client left, or what it was made from broke. */
  readonly aborted: boolean;
}
