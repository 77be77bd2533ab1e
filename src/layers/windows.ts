/** Memory for the windows of zstd streams. A process lends it in parts, and never more than there is. */
export interface WindowBudget {
  /**
   * Waits in line until the part is free, and takes it. A stream gives its part back before it takes another one: two
   * streams that wait for each other's memory would wait for ever.
   * @returns a function that gives the part back; further calls do nothing.
   * @throws the signal's reason.
   */
  take(request: WindowRequest, signal: AbortSignal): Promise<() => void>;
  /** Takes the part where it is free and no other request waits; returns undefined where it is not. */
  takeAtOnce(request: WindowRequest): (() => void) | undefined;
}

export interface WindowRequest {
  readonly bytes: number;
  /** Path in a `FairQueue`, of the same length for all requests of a budget. */
  readonly owner: readonly string[];
  /** Absent for a stream that keeps its window until its end. */
  readonly holder?: WindowHolder;
}

/** A stream that can give its window back while others wait for memory, and later go on where it was. */
export interface WindowHolder {
  /** Whether the client of the stream takes bytes too slowly. */
  isSlow(): boolean;
  /** Whether the stream has had its window long enough to give it back because its owner has more than its share. */
  hasHadItsTime(): boolean;
  /** Asks for the window; the stream gives it back soon. */
  giveBack(): void;
}

/** Takes memory for a window of a stream, as `WindowBudget.take` does. */
export type TakeWindow = (bytes: number) => Promise<() => void>;
