/**
 * Counters of the running program: Prometheus on Node, none on Workers. No argument is a value that a client can
 * choose: no repository, tag, digest, user or path. All durations are in seconds.
 */
export interface Metrics {
  /** A response was sent, or aborted. */
  responseSent(response: ResponseFacts): void;
  /** A cache was looked up. @param tier the name of the cache. */
  cacheLookup(tier: string, hit: boolean): void;
  /** A request to upstream ended. @param status of the response; undefined if there was none. */
  upstreamResponse(route: string, status: number | undefined, seconds: number): void;
  /**
   * The number of pulls that upstream allows until its limit (`ratelimit-remaining`).
   * @param windowSeconds the time for which upstream counts a pull.
   */
  pullsRemaining(route: string, pulls: number, windowSeconds: number): void;
  /** A request to a token server ended. */
  tokenRequest(route: string, granted: boolean): void;
  /** So many requests failed because upstream refuses the account of the proxy; 0 for a route that has an account. */
  accountRefused(route: string, requests: 0 | 1): void;
  /** A manifest was converted, or its conversion was remembered or failed. */
  conversion(conversion: ConversionFacts): void;
  /** The reading of a layer begins (1) or ends (-1). */
  layerReads(change: 1 | -1): void;
  /** The store of layers was looked up. */
  storeRead(result: 'hit' | 'miss' | 'error'): void;
  /** A layer was written to the store, or could not be (`error`), or the read of it ended early (`dropped`). */
  storeWrite(result: 'stored' | 'error' | 'dropped', bytes: number): void;
  /** The store removed layers that were used longest ago. */
  storeEvicted(blobs: number, bytes: number): void;
  /** The bytes that the store has. */
  storeSize(bytes: number): void;
  /** The number of file operations of the store that have exceeded their time limit, and still hold a thread. */
  storeHung(operations: number): void;
  /** A registry notified regshift of an event; `unrouted` belongs to no route, and `other` is no push or deletion. */
  registryEvent(source: string, result: 'push' | 'delete' | 'other' | 'unrouted'): void;
  /** An image was made ahead for one generation of clients, or was not. */
  warmed(result: WarmResult): void;
  /** The number of images that wait to be made ahead. */
  warmQueue(length: number): void;
}

/**
 * The end of a job of making an image ahead: `unsupported` for an image that these clients cannot have, `counted` where
 * upstream counts pulls, `refused` without a login that upstream wants, `dropped` where the queue is full.
 */
export type WarmResult = 'made' | 'unsupported' | 'counted' | 'refused' | 'failed' | 'dropped';

/** Facts of one response. */
export interface ResponseFacts {
  /** The id of a route, or `none`. */
  readonly route: string;
  /** The kind of the requested resource, like `manifest`. */
  readonly resource: string;
  readonly status: number;
  /** The duration until the last byte. */
  readonly seconds: number;
  /** Whether an older answer of the registry stands in, because the registry fails or limits requests. */
  readonly stale?: boolean;
  /** The client of a manifest that was sent; absent for every other response. */
  readonly manifestFor?: ManifestClient | undefined;
  /** The size with headers; undefined if the runtime does not report it. */
  readonly bytes: number | undefined;
}

/** A client that got a manifest. */
export interface ManifestClient {
  /** The id of a known group of clients, or `other`. */
  readonly client: string;
  readonly form: 'stored' | 'converted';
}

/** Facts of one conversion. */
export interface ConversionFacts {
  /** The name of a form, like `oci-index`. */
  readonly from: string;
  readonly to: string;
  readonly result: 'made' | 'remembered' | 'failed';
  readonly seconds: number;
}

export const noMetrics: Metrics = {
  responseSent: () => undefined,
  cacheLookup: () => undefined,
  upstreamResponse: () => undefined,
  pullsRemaining: () => undefined,
  tokenRequest: () => undefined,
  accountRefused: () => undefined,
  conversion: () => undefined,
  layerReads: () => undefined,
  storeRead: () => undefined,
  storeWrite: () => undefined,
  storeEvicted: () => undefined,
  storeSize: () => undefined,
  storeHung: () => undefined,
  registryEvent: () => undefined,
  warmed: () => undefined,
  warmQueue: () => undefined,
};
