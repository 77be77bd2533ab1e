import { RegistryError } from '../errors.ts';

/** The reading end of a stream of bytes. */
export interface ByteSource {
  /** The next bytes, never an empty piece; `undefined` at the end. @throws RegistryError UPSTREAM_ANSWER. */
  read(): Promise<Uint8Array | undefined>;
  /** All that comes; whoever leaves the loop early gives the source up. @throws as `read`. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Cancels the stream, in the middle of a `read` too, which then sees the end. Never throws. */
  giveUp(this: void, reason?: unknown): void;
}

export function openByteSource(stream: ReadableStream<Uint8Array>, what: string): ByteSource {
  const reader = stream.getReader();

  async function read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw isReadable(error) ? error : cutShort(what, error);
      });
      if (done) return undefined;
      if (value.length > 0) return value;
    }
  }

  function giveUp(reason?: unknown): void {
    reader.cancel(reason).catch(() => undefined);
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let bytes = await read(); bytes !== undefined; bytes = await read()) yield bytes;
    } finally {
      giveUp();
    }
  }

  return { read, chunks, giveUp };
}

/** Ours already, or a caller's own abort: not to be put into other words. */
export function isReadable(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return error instanceof RegistryError || name === 'AbortError' || name === 'TimeoutError';
}

function cutShort(what: string, cause: unknown): RegistryError {
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `Upstream broke off before the ${what} was complete. Try again.`,
    {
      cause,
    },
  );
}

/** Bytes at hand, as a stream of one piece. */
export function streamFromSource(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
