/** The reason with which a deadline of our own aborts, to be told from the caller's abort. */
class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

export function isDeadline(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof DeadlinePassed;
}

/** Runs `work` with a signal that aborts `milliseconds` from now, or when `outer` does, unless `work` is done by then. */
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
 * The same for work that brings a body home, which the caller can still abort when the deadline is over. Nobody tells
 * when a body is done with, so the tie to `outer` is a weak one, and dearer.
 */
export async function withDeadlineForHead<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadline, lift } = setDeadline(milliseconds, outer);
  try {
    return await work(outer === undefined ? deadline.signal : AbortSignal.any([outer, deadline.signal]));
  } finally {
    lift();
  }
}

function setDeadline(milliseconds: number, outer: AbortSignal | undefined) {
  outer?.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlinePassed()), milliseconds);
  return { deadline, lift: () => clearTimeout(timer) };
}

/** Waits for what others may wait for too: an abort ends this wait, and not the work. */
export async function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
