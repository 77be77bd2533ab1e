import type { ServerResponse } from 'node:http';
import { systemClock } from '../../../clock.ts';
import { countBuffer } from '../garbage.ts';
import type { StoreFile } from './store-file.ts';

/** Bytes that are read at once. */
const pieceBytes = 256 * 1024;

/** A part of an open file. */
interface FilePart {
  readonly file: StoreFile;
  readonly start: number;
  readonly length: number;
}

const native = new WeakMap<ReadableStream, FilePart>();

/**
 * A part of an open file as a web stream, which closes the file at its end. It reads nothing before its first pull, so
 * that the file can still be sent as it is (`fileOf`). It errors if the file ends early.
 */
export function fileStream(file: StoreFile, start: number, length: number): ReadableStream<Uint8Array> {
  let at = start;
  const stop = start + length;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (at < stop) {
            const piece = new Uint8Array(Math.min(stop - at, pieceBytes));
            countBuffer(piece.length);
            const bytesRead = await readPiece(file, piece, at);
            at += bytesRead;
            controller.enqueue(piece.subarray(0, bytesRead));
          }
          if (at < stop) return;
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        file.close();
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
  native.set(stream, { file, start, length });
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
export async function sendFile({ file, start, length }: FilePart, outgoing: ServerResponse): Promise<void> {
  const stop = start + length;
  const pace = createReadBuffers(length);
  let ahead: Promise<Uint8Array> | undefined;
  try {
    for (let at = start; at < stop; ) {
      const piece = await (ahead ?? readInto(file, pace.buffer(), at, stop));
      at += piece.length;
      ahead = pace.isFast() && at < stop ? readInto(file, pace.buffer(), at, stop) : undefined;
      // The loop waits for it later, or not at all when the client leaves.
      ahead?.catch(() => {});
      const since = systemClock();
      if (!(await isTaken(outgoing, piece))) return void outgoing.destroy();
      pace.took(systemClock() - since);
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    pace.release();
    file.close();
  }
}

/** Milliseconds within which a fast client takes a piece. */
const fastMs = 50;

/** Bytes of each of the two buffers of a fast client, and the number of clients that have them at most. */
const largeBytes = 8 * pieceBytes;
const mostFast = 4;
let fastClients = 0;

/** The buffers of one client: one of them, or two large ones while the client is fast and few others are. */
function createReadBuffers(length: number) {
  let last: Uint8Array = Buffer.allocUnsafeSlow(Math.min(length, pieceBytes));
  let other: Uint8Array | undefined;
  const isFast = () => other !== undefined;

  return {
    isFast,
    /** The buffer for the next piece, which for a fast client is not the one of the last. */
    buffer(): Uint8Array {
      if (other) [last, other] = [other, last];
      return last;
    },
    /** Notes for how many milliseconds the client took its last piece. */
    took(ms: number): void {
      if (ms < fastMs && !isFast() && length >= 2 * largeBytes && fastClients < mostFast) {
        fastClients += 1;
        last = Buffer.allocUnsafeSlow(largeBytes);
        other = Buffer.allocUnsafeSlow(largeBytes);
      } else if (ms >= fastMs && isFast()) {
        fastClients -= 1;
        last = Buffer.allocUnsafeSlow(pieceBytes);
        other = undefined;
      }
    },
    release(): void {
      if (isFast()) fastClients -= 1;
      other = undefined;
    },
  };
}

async function readInto(file: StoreFile, buffer: Uint8Array, at: number, stop: number): Promise<Uint8Array> {
  return buffer.subarray(
    0,
    await readPiece(file, buffer.subarray(0, Math.min(stop - at, buffer.length)), at),
  );
}

async function readPiece(file: StoreFile, piece: Uint8Array, at: number): Promise<number> {
  const bytesRead = await file.read(piece, at);
  if (bytesRead === 0) throw new Error(`the file ends at its byte ${at}`);
  return bytesRead;
}

/**
 * Waits until a piece has left the process.
 * @returns false if the client has left. The connection has many errors for that (`write ECANCELED`, EPIPE, ECONNRESET),
 *   and none that is the store's.
 */
function isTaken(outgoing: ServerResponse, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve(false);
    // Node drops the callback of a pipelined response whose client leaves before its turn.
    const left = () => resolve(false);
    outgoing.once('close', left);
    outgoing.write(piece, (error) => {
      outgoing.off('close', left);
      resolve(!error);
    });
  });
}
