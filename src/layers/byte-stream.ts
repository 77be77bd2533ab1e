import { cutShort, isRegistryOrAbortError } from '../upstream/body.ts';
import { createPullStream } from './pull-stream.ts';

/** Reads a stream of bytes. */
export interface ByteSource {
  /** Reads the next chunk, which is never empty; `undefined` at the end. @throws RegistryError UPSTREAM_ANSWER. */
  read(): Promise<Uint8Array | undefined>;
  /** Iterates over the chunks. Leaving the loop early cancels the stream. @throws as `read`. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Cancels the stream. A pending `read` then sees the end. Never throws. */
  cancel(this: void, reason?: unknown): void;
}

export function openByteSource(stream: ReadableStream<Uint8Array>, what: string): ByteSource {
  const reader = stream.getReader();

  async function read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw isRegistryOrAbortError(error) ? error : cutShort(`the ${what}`, error);
      });
      if (done) return undefined;
      if (value.length > 0) return value;
    }
  }

  function cancel(reason?: unknown): void {
    reader.cancel(reason).catch(() => undefined);
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let bytes = await read(); bytes !== undefined; bytes = await read()) yield bytes;
    } finally {
      cancel();
    }
  }

  return { read, chunks, cancel };
}

/** Waits for the first chunk of a stream. @returns the whole stream. @throws the stream's error before its first chunk. */
export async function begun(
  stream: ReadableStream<Uint8Array>,
  what: string,
): Promise<ReadableStream<Uint8Array>> {
  const source = openByteSource(stream, what);
  const first = await source.read();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (first === undefined) return;
    yield first;
    yield* source.chunks();
  }
  return createPullStream(chunks(), source.cancel);
}

/** Returns a stream of one chunk. */
export function streamFromSource(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
