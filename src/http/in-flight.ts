/** Requests that are being worked on, and answers that are being sent. */
export interface InFlight {
  /** Requests without an answer yet. */
  readonly requests: number;
  /** Answers that have begun and not ended: layers on their way, mostly. */
  readonly streams: number;
  /**
   * @returns undefined where there are as many as there may be: who is told so at once can come back, and who waits in
   *   a line that grows is told by his own deadline.
   */
  acquire(): InFlightSlot | undefined;
}

export interface InFlightSlot {
  /** The answer begins. */
  responding(): void;
  /** It has ended, in whatever way. */
  release(): void;
}

/** @param most requests and streams together. */
export function createInFlight(most: number): InFlight {
  let requests = 0;
  let streams = 0;
  return {
    get requests() {
      return requests;
    },
    get streams() {
      return streams;
    },
    acquire() {
      if (requests + streams >= most) return undefined;
      requests += 1;
      return {
        responding() {
          requests -= 1;
          streams += 1;
        },
        release() {
          streams -= 1;
        },
      };
    },
  };
}
