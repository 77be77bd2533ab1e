/** The abort reason of regshift's own deadlines. It tells a deadline from an abort by the caller. */
class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/** Whether a signal was aborted by a deadline of this module. */
export function isDeadline(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof DeadlinePassed;
}

/**
 * Whether an error is the reason of an abort, by the caller of the work, and no failure of the work. Only such a reason is
 * no Error: @hono/node-server aborts the request of a client that has left with a text (`abortRequest` in its
 * dist/index.mjs).
 */
export function isAbort(error: unknown): boolean {
  return !(error instanceof Error) || error.name === 'AbortError' || error.name === 'TimeoutError';
}

/**
 * Runs `work` with a signal that aborts after `milliseconds`, or when `outer` aborts. The signal never aborts after `work`
 * has ended.
 */
export async function withDeadline<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadline, lift } = setDeadline(milliseconds, outer);
  const onAbort = () => deadline.abort(outer?.reason);
  outer?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(deadline.signal);
  } finally {
    lift();
    outer?.removeEventListener('abort', onAbort);
  }
}

/**
 * Like `withDeadline`, for work that returns a response whose body is read later. The deadline covers the work only, but
 * `outer` can still abort the body. The end of the body is unknown here, so the signal depends on `outer` through
 * `AbortSignal.any`, which holds it weakly and costs more.
 */
export async function withDeadlineForHead<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadline, lift } = setDeadline(milliseconds, outer);
  try {
    return await work(eitherSignal(outer, deadline.signal));
  } finally {
    lift();
  }
}

/** A signal that aborts with either of two. */
export function eitherSignal(outer: AbortSignal | undefined, own: AbortSignal): AbortSignal {
  return outer === undefined ? own : AbortSignal.any([outer, own]);
}

function setDeadline(milliseconds: number, outer: AbortSignal | undefined) {
  outer?.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlinePassed()), milliseconds);
  return { deadline, lift: () => clearTimeout(timer) };
}

/** The end of a wait. */
export interface Patience {
  readonly milliseconds: number;
  /** Called when the time is over. @returns the error of the wait. */
  readonly late: () => Error;
}

/**
 * Waits for a promise that others may wait for too: an abort or the end of the patience ends this wait, not the work.
 * Every request to upstream waits so, and a signal of its own for each wait would cost more than the wait.
 * @throws the signal's reason; `late()`.
 */
export function waitFor<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  patience?: Patience,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => end(() => reject(signal?.reason));
    const onLate = () => end(() => reject(patience?.late()));
    const timer = patience && setTimeout(onLate, patience.milliseconds);
    const end = (settle: () => void) => {
      if (timer !== undefined) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}

/** Waits. @throws the signal's reason, at once. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await waitFor(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the value of a promise, or undefined if it is not settled within `milliseconds`. The work goes on. */
export async function valueWithin<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(over.resolve, milliseconds, undefined);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Error if a promise is not settled within `milliseconds`. The work goes on. */
export function settledWithin<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = () => new Error(`no answer in ${milliseconds / 1000} s`);
  return waitFor(promise, undefined, { milliseconds, late });
}
