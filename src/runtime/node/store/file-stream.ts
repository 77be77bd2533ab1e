import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { systemClock } from '../../../clock.ts';

/** Bytes that are read at once. */
const pieceBytes = 256 * 1024;

/** A part of an open file. */
interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
}

const native = new WeakMap<ReadableStream, FilePart>();

/**
 * A part of an open file as a web stream, which closes the file at its end. It reads nothing before its first pull, so
 * that the file can still be sent as it is (`fileOf`). It errors if the file ends early.
 */
export function fileStream(handle: FileHandle, start: number, length: number): ReadableStream<Uint8Array> {
  let at = start;
  const stop = start + length;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (at < stop) {
            const piece = new Uint8Array(Math.min(stop - at, pieceBytes));
            const bytesRead = await readPiece(handle, piece, at);
            at += bytesRead;
            controller.enqueue(piece.subarray(0, bytesRead));
          }
          if (at < stop) return;
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await handle.close();
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
  native.set(stream, { handle, start, length });
  return stream;
}

/** The file behind a stream that has not been read yet. The caller closes the file. */
export function fileOf(stream: ReadableStream): FilePart | undefined {
  return stream.locked ? undefined : native.get(stream);
}

/**
 * Sends a part of a file as the body of a response whose head is written, and closes the file. It bypasses web streams.
 * A slow client holds one piece: the next one is read when the client has taken it. For a fast client the next piece is
 * read while the last one leaves.
 * @throws Error if the file ends early, after the response broke off.
 */
export async function sendFile({ handle, start, length }: FilePart, outgoing: ServerResponse): Promise<void> {
  const stop = start + length;
  const pace = createPace(length);
  let ahead: Promise<Uint8Array> | undefined;
  try {
    for (let at = start; at < stop; ) {
      const piece = await (ahead ?? readInto(handle, pace.buffer(), at, stop));
      if (outgoing.destroyed) return;
      at += piece.length;
      ahead = pace.isFast() && at < stop ? readInto(handle, pace.buffer(), at, stop) : undefined;
      // The loop waits for it later, or not at all when the client leaves.
      ahead?.catch(() => {});
      const since = systemClock();
      await written(outgoing, piece);
      pace.took(systemClock() - since);
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy();
    if (!isClosedByClient(error)) throw error;
  } finally {
    pace.release();
    await handle.close();
  }
}

/** Milliseconds within which a fast client takes a piece. */
const fastMs = 50;

/** Bytes of each of the two buffers of a fast client, and the number of clients that have them at most. */
const largeBytes = 8 * pieceBytes;
const mostFast = 4;
let fastClients = 0;

/** The buffers of one client: one of them, or two large ones while the client is fast and few others are. */
function createPace(length: number) {
  let buffers = [Buffer.allocUnsafeSlow(Math.min(length, pieceBytes))];
  let turn = 0;
  const isFast = () => buffers.length > 1;

  return {
    isFast,
    /** The buffer for the next piece, which is not the one of the last. */
    buffer(): Uint8Array {
      turn = (turn + 1) % buffers.length;
      return buffers[turn] as Uint8Array;
    },
    /** Notes for how many milliseconds the client took its last piece. */
    took(ms: number): void {
      if (ms < fastMs && !isFast() && length >= 2 * largeBytes && fastClients < mostFast) {
        fastClients += 1;
        buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(largeBytes));
      } else if (ms >= fastMs && isFast()) {
        fastClients -= 1;
        buffers = [Buffer.allocUnsafeSlow(pieceBytes)];
      }
    },
    release(): void {
      if (isFast()) fastClients -= 1;
      buffers = [];
    },
  };
}

async function readInto(handle: FileHandle, buffer: Uint8Array, at: number, stop: number) {
  const bytesRead = await readPiece(handle, buffer.subarray(0, Math.min(stop - at, buffer.length)), at);
  return buffer.subarray(0, bytesRead);
}

async function readPiece(handle: FileHandle, piece: Uint8Array, at: number): Promise<number> {
  const { bytesRead } = await handle.read(piece, 0, piece.length, at);
  if (bytesRead === 0) throw new Error(`the file ends at its byte ${at}`);
  return bytesRead;
}

/** Waits until a piece has left the process, or the client has. */
function written(outgoing: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function isClosedByClient(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ERR_STREAM_DESTROYED', 'EPIPE', 'ECONNRESET', 'ERR_STREAM_WRITE_AFTER_END'].includes(code);
}
