/** What a test lets upstream do. */
export interface SourceOptions {
  /** How the bytes are cut; 1000 when not said. */
  readonly piece?: number;
  /** After the last byte: the end when not said. */
  readonly after?: 'error' | 'silence';
}

export interface TestSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes taken so far. */
  readonly taken: number;
  /** What the stream was cancelled with, in a box; `undefined` while it was not. */
  readonly cancelled: { readonly reason: unknown } | undefined;
}

/** A stream that gives nothing before it is asked, and remembers what was done to it. */
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

/** Reads to the end, or throws what the stream errors with. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return (await received(stream)).get();
}

/** What of a stream arrives before it ends or errors. */
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
