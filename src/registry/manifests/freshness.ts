import type { StartedRequest } from '../context.ts';

/** The right to send a response again to requests with the same cache key, which has the Authorization value in it. */
export interface Freshness {
  /** Whether the response may be sent without asking upstream. */
  readonly isFresh: () => boolean;
  /**
   * Asks upstream for the right again, and for nothing else. A remembered response has no login, so the request brings
   * its own.
   * @param authorization the Authorization value of the request.
   * @returns undefined where the response may have changed. @throws RegistryError as `Resolver.resolve`.
   */
  readonly revalidate: (
    started: StartedRequest,
    authorization: string | undefined,
  ) => Promise<Freshness | undefined>;
}

/** A whole response of status 200; for HEAD, everything but the body. */
export interface WholeResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
