/** The behaviour of an upstream body in a test. */
export interface SourceOptions {
  /** The size of each chunk; 1000 by default. */
  readonly piece?: number;
  /** The event after the last byte: the end by default. */
  readonly after?: 'error' | 'silence';
}

export interface TestSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** The number of bytes read so far. */
  readonly taken: number;
  /** The reason of the stream's cancellation, in a box; `undefined` before it. */
  readonly cancelled: { readonly reason: unknown } | undefined;
}

/** A stream that produces bytes only on demand, and records reads and cancellation. */
export function sourceOf(bytes: Uint8Array, { piece = 1000, after }: SourceOptions = {}): TestSource {
  let taken = 0;
  let cancelled: { reason: unknown } | undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken < bytes.length) {
          const next = bytes.slice(taken, taken + piece);
          taken += next.length;
          controller.enqueue(next);
        } else if (after === 'error') {
          controller.error(new TypeError('terminated'));
        } else if (after === 'silence') {
          return new Promise<void>(() => {});
        } else {
          controller.close();
        }
        return undefined;
      },
      cancel(reason) {
        cancelled = { reason };
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    get taken() {
      return taken;
    },
    get cancelled() {
      return cancelled;
    },
  };
}

/** Reads a stream to its end. @throws the error of the stream. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return (await received(stream)).get();
}

/** Reads a stream until it ends or fails, and keeps the bytes that arrived. */
export async function received(
  stream: ReadableStream<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array; readonly error: unknown; get(): Uint8Array }> {
  const pieces: Uint8Array[] = [];
  let error: unknown;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
    }
  } catch (thrown) {
    error = thrown;
  }
  const bytes = concatenated(...pieces);
  const get = () => {
    if (error !== undefined) throw error;
    return bytes;
  };
  return { bytes, error, get };
}

export function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
