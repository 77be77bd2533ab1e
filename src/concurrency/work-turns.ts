import type { TakeTurn } from '../../converters/ports.ts';

/**
 * Bytes of documents that are read or written in one turn of the event loop. Reading takes up to 150 ns for a byte (of
 * short annotations), so a turn takes some 20 ms; a document of more bytes has a turn for itself.
 */
export const bytesPerTurn = 131_072;

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

/**
 * Divides the work on documents of all requests into turns of the event loop, so that the process answers other requests
 * between two of them. Work that fits into the current turn does not wait; other work waits in the order of its
 * requests. A pause within each request alone would not do: the works of sixty requests would all continue in the same
 * turn.
 * @param nextTurn calls a function in the next turn of the event loop, after its input and output.
 * @param most bytes of all requests in one turn.
 */
export function createWorkTurns(nextTurn: (begin: () => void) => void, most = bytesPerTurn): TakeTurn {
  const waiting: Waiting[] = [];
  let used = 0;
  let isPlanned = false;

  const fits = (bytes: number) => used === 0 || used + bytes <= most;

  function use(bytes: number): void {
    used += bytes;
    if (isPlanned) return;
    isPlanned = true;
    nextTurn(beginTurn);
  }

  function beginTurn(): void {
    isPlanned = false;
    used = 0;
    for (let next = waiting[0]; next && fits(next.bytes); next = waiting[0]) {
      waiting.shift();
      use(next.bytes);
      next.begin();
    }
  }

  return (bytes) => {
    if (waiting.length > 0 || !fits(bytes)) {
      return new Promise<void>((begin) => waiting.push({ bytes, begin }));
    }
    use(bytes);
    return undefined;
  };
}
