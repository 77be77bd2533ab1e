/**
 * What is counted while the program works, for whoever watches it: Prometheus on Node, nothing on Workers. No value
 * that a client can choose is among the arguments: no repository, tag, digest, user or path. All durations are in
 * seconds.
 */
export interface Metrics {
  /** An answer has gone out, or was cut. */
  responseSent(answer: ResponseFacts): void;
  /** A cache was asked. */
  cacheLookup(tier: string, hit: boolean): void;
  /** @param status of the answer; undefined where none came. */
  upstreamResponse(route: string, status: number | undefined, seconds: number): void;
  /** How many pulls upstream says are left (`ratelimit-remaining`). */
  pullsRemaining(route: string, pulls: number): void;
  /** A token server was asked for a token. */
  tokenRequest(route: string, granted: boolean): void;
  conversion(conversion: ConversionFacts): void;
  /** A layer begins to be read (1), or is no longer (-1). */
  layerReads(change: 1 | -1): void;
}

export interface ResponseFacts {
  /** The id of a route, or `none`. */
  readonly route: string;
  /** What kind of thing was asked for, like `manifest`. */
  readonly resource: string;
  readonly status: number;
  /** Until the last byte. */
  readonly seconds: number;
  /** With headers; undefined where the runtime does not tell. */
  readonly bytes: number | undefined;
}

export interface ConversionFacts {
  /** Names of forms, like `oci-index`. */
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
  conversion: () => undefined,
  layerReads: () => undefined,
};
