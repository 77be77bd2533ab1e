import type { ServerResponse } from 'node:http';
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
 * Sends a part of a file as the body of a response whose head is written, and closes the file. It bypasses web streams,
 * and uses one buffer for all pieces: the next piece is read when the client has taken the last one.
 * @throws Error if the file ends early, after the response broke off.
 */
export async function sendFile({ file, start, length }: FilePart, outgoing: ServerResponse): Promise<void> {
  const stop = start + length;
  const buffer = Buffer.allocUnsafeSlow(Math.min(length, pieceBytes));
  try {
    for (let at = start; at < stop; ) {
      const bytesRead = await readPiece(file, buffer.subarray(0, Math.min(stop - at, buffer.length)), at);
      at += bytesRead;
      if (!(await isTaken(outgoing, buffer.subarray(0, bytesRead)))) return void outgoing.destroy();
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    file.close();
  }
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
    if (outgoing.destroyed) resolve(false);
    else outgoing.write(piece, (error) => resolve(!error));
  });
}
