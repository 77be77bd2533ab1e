/** Requests that are being worked on, and answers that are being sent. */
export interface UnderWay {
  /** Requests without an answer yet. */
  readonly requests: number;
  /** Answers that have begun and not ended: layers on their way, mostly. */
  readonly streams: number;
  /**
   * @returns undefined where there are as many as there may be: who is told so at once can come back, and who waits in
   *   a line that grows is told by his own deadline.
   */
  enter(): Visit | undefined;
}

export interface Visit {
  /** The answer begins. */
  answers(): void;
  /** It has ended, in whatever way. */
  leave(): void;
}

/** @param most requests and streams together. */
export function createUnderWay(most: number): UnderWay {
  let requests = 0;
  let streams = 0;
  return {
    get requests() {
      return requests;
    },
    get streams() {
      return streams;
    },
    enter() {
      if (requests + streams >= most) return undefined;
      requests += 1;
      return {
        answers() {
          requests -= 1;
          streams += 1;
        },
        leave() {
          streams -= 1;
        },
      };
    },
  };
}
