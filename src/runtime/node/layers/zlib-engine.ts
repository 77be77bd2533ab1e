import type { Transform } from 'node:stream';
import { countBuffer } from '../garbage.ts';

/** `bytesWritten` counts the bytes that the engine has consumed, not the bytes that it got. */
type ZlibTransform = Transform & { readonly bytesWritten: number };

/** A transform of node:zlib, driven chunk by chunk instead of through pipes. */
export interface Engine {
  /**
   * Returns all output for these bytes.
   * @throws the engine's error.
   */
  push(bytes: Uint8Array): AsyncGenerator<Uint8Array>;
  /**
   * Returns the rest of the output.
   * @throws the engine's error if the content is not complete.
   */
  end(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * Drives a zlib engine without pipes. A cancelled pipe between Node and web streams tends to leave an unhandled
 * rejection, and it does not show where the engine stopped reading. While the caller uses one output chunk, the
 * engine makes the next ones in its own thread, as far as its stream has room, and then waits.
 */
export function driveZlib(engine: ZlibTransform): Engine {
  const ready: Uint8Array[] = [];
  let given = 0;
  let failure: Error | undefined;
  let ended = false;
  let wake = () => {};
  engine.on('data', (piece: Uint8Array) => {
    countBuffer(piece.length);
    ready.push(piece);
    engine.pause();
    wake();
  });
  engine.on('error', (error) => {
    failure = error;
    wake();
  });
  engine.on('end', () => {
    ended = true;
    wake();
  });

  async function* output(isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let piece = ready.shift(); piece !== undefined; piece = ready.shift()) yield piece;
      if (failure !== undefined) throw failure;
      if (isDone()) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      engine.resume();
      await promise;
    }
  }

  return {
    async *push(bytes) {
      let taken = false;
      given += bytes.length;
      engine.write(bytes, () => {
        taken = true;
        wake();
      });
      yield* output(() => ended || (taken && engine.readableLength === 0));
      // The engine ends without an error before bytes that do not belong to it.
      if (engine.bytesWritten !== given) throw new Error('something follows the end');
    },

    async *end() {
      engine.end();
      yield* output(() => ended);
    },

    close() {
      engine.destroy();
    },
  };
}
