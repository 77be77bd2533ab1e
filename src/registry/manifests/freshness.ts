import type { StartedRequest } from '../context.ts';

/** The right to give an answer again to whoever asks in the same words, the Authorization value among them. */
export interface Freshness {
  /** Whether upstream need not be asked, for it has been a moment ago. */
  readonly isFresh: () => boolean;
  /**
   * Asks upstream for the right anew, and for nothing else.
   * @returns undefined where the answer may be another one by now. @throws RegistryError as upstream's refusal makes it.
   */
  readonly revalidate: (started: StartedRequest) => Promise<Freshness | undefined>;
}

/** An answer as a whole: status 200, and of a HEAD everything but the body. */
export interface WholeResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
