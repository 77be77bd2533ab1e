import type { Begun } from '../context.ts';

/** The right to give an answer again to whoever asks in the same words, the Authorization value among them. */
export interface HeldRight {
  /** Whether upstream need not be asked, for it has been a moment ago. */
  readonly holds: () => boolean;
  /**
   * Asks upstream for the right anew, and for nothing else.
   * @returns undefined where the answer may be another one by now. @throws Failure as upstream's refusal makes it.
   */
  readonly renew: (begun: Begun) => Promise<HeldRight | undefined>;
}

/** An answer as a whole: status 200, and of a HEAD everything but the body. */
export interface HeldAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
