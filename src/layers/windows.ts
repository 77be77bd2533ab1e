/** A bounded amount of memory that the windows of zstd streams share. */
export interface WindowBudget {
  /**
   * Waits in line until enough memory is free, and takes it. A stream gives its memory back before it takes more:
   * otherwise two streams could wait for each other's memory forever.
   * @returns a function that gives the memory back; further calls do nothing.
   * @throws the signal's reason.
   */
  take(request: WindowRequest, signal: AbortSignal): Promise<() => void>;
  /** Takes the memory if it is free and no other request waits; otherwise returns undefined. */
  tryTake(request: WindowRequest): (() => void) | undefined;
}

export interface WindowRequest {
  readonly bytes: number;
  /** Path in a `FairQueue`, of the same length for all requests of a budget. */
  readonly owner: readonly string[];
  /** Absent for a stream that keeps its window until its end. */
  readonly holder?: WindowHolder;
}

/** A stream that can give its window back while others wait for memory, and later continue. */
export interface WindowHolder {
  /** Whether the stream's client reads too slowly. */
  isSlow(): boolean;
  /** Whether the stream has had its window for long enough to give it back if its owner has more than a fair share. */
  isPastMinimum(): boolean;
  /** Makes the stream give its window back soon. */
  giveBack(): void;
}

/** Takes memory for a window of a stream, as `WindowBudget.take` does. */
export type TakeWindow = (bytes: number) => Promise<() => void>;
