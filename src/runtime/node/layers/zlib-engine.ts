import type { Transform } from 'node:stream';

/** `bytesWritten` counts the bytes that the engine has taken, and not those that were given to it. */
type ZlibTransform = Transform & { readonly bytesWritten: number };

/** One of the transforms of node:zlib, driven piece by piece instead of through pipes. */
export interface Engine {
  /** Gives what comes out for these bytes, all of it. @throws the engine's error. */
  push(bytes: Uint8Array): AsyncGenerator<Uint8Array>;
  /** Gives the rest. @throws the engine's error when the content is not complete. */
  end(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * Pipes between streams of Node and the Web would do, were it not that a cancelled one tends to leave a rejection
 * behind that no one handles, and that nobody could see where the engine stopped taking bytes.
 * While a piece that came out is being looked at, the engine makes the next in its own thread, and then waits.
 */
export function driveZlib(engine: ZlibTransform): Engine {
  const ready: Uint8Array[] = [];
  let given = 0;
  let failure: Error | undefined;
  let ended = false;
  let wake = () => {};
  engine.on('data', (piece: Uint8Array) => {
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
      // The engine ends without an error before what cannot be its own.
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
