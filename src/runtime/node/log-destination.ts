import { write } from 'node:fs';
import { valueWithin } from '../../concurrency/deadline.ts';

/** The file, pipe or terminal that gets the lines of the log. No write waits for its reader. */
export interface LogDestination {
  /** Takes lines, each with its line break. */
  write(lines: string): void;
  /** Writes the lines in memory, for the end of the process. It waits a second at most, and never throws. */
  flush(): Promise<void>;
  /** Whether a write is in progress. It may hang, as on a terminal that is stopped with Ctrl-S. */
  isWriting(): boolean;
}

export interface LogDestinationOptions {
  /** Milliseconds that `flush` waits at most. */
  readonly flushMs?: number;
  /** Characters in memory at most. */
  readonly mostWaiting?: number;
  /** Gets the number of lines that were dropped, once the destination takes lines again. */
  readonly onDropped?: (lines: number) => void;
}

/**
 * Lines are written in batches of this many characters, and after this many milliseconds at the latest. A slow reader
 * then delays no request; a write per line would cost more than the response that it is about.
 */
const batch = { length: 8_192, milliseconds: 200 };

/** Lines beyond this many characters are dropped while the destination takes nothing. */
const usualMostWaiting = 16_777_216;

/** Milliseconds until a write that failed for now is tried again. */
const retryMs = 100;

/** Milliseconds that the end of the process waits for a slow reader. */
const usualFlushMs = 1_000;

/** Errors that pass: a full pipe that libuv has made non-blocking (uv_pipe_open), a full disk, a used-up quota. */
const passing = new Set(['EAGAIN', 'EBUSY', 'ENOSPC', 'EDQUOT']);

/**
 * Writes to a file descriptor. An error other than a passing one, like EPIPE of a pipe without a reader or EIO of a
 * terminal that was closed, drops the batch, which has no reader. Later lines are tried all the same, because a named pipe
 * may get a new reader. sonic-boom, the usual library for this, repeats the write for ever then (`flushSync` in index.js
 * of its version 4.2.1).
 */
export function createLogDestination(fd: number, options: LogDestinationOptions = {}): LogDestination {
  const { flushMs = usualFlushMs, mostWaiting = usualMostWaiting, onDropped } = options;
  let waiting = '';
  let unwritten: Uint8Array | undefined;
  let isWriting = false;
  let isTimed = false;
  let dropped = 0;
  let idle: PromiseWithResolvers<void> | undefined;

  function writeLater(milliseconds: number): void {
    if (isTimed) return;
    isTimed = true;
    setTimeout(() => {
      isTimed = false;
      writeNow();
    }, milliseconds).unref();
  }

  function writeNow(): void {
    if (isWriting) return;
    if (unwritten === undefined && waiting !== '') {
      unwritten = Buffer.from(waiting);
      waiting = '';
    }
    if (unwritten) {
      isWriting = true;
      write(fd, unwritten, onWritten);
    } else idle?.resolve();
  }

  function onWritten(error: NodeJS.ErrnoException | null, written: number): void {
    isWriting = false;
    if (error && passing.has(error.code ?? '')) {
      writeLater(retryMs);
      return;
    }
    unwritten = error ? undefined : restOf(unwritten, written);
    if (!error) reportDropped();
    if (unwritten || idle || waiting.length >= batch.length) writeNow();
    else if (waiting !== '') writeLater(batch.milliseconds);
  }

  function reportDropped(): void {
    const count = dropped;
    dropped = 0;
    if (count > 0) onDropped?.(count);
  }

  return {
    write(lines) {
      if (waiting.length + lines.length > mostWaiting) {
        dropped += 1;
        return;
      }
      waiting += lines;
      if (unwritten) return;
      if (waiting.length >= batch.length) writeNow();
      else writeLater(batch.milliseconds);
    },
    async flush() {
      idle ??= Promise.withResolvers();
      const { promise } = idle;
      writeNow();
      await valueWithin(flushMs, promise);
      idle = undefined;
    },
    isWriting: () => isWriting,
  };
}

/** @returns undefined if all bytes are written. */
function restOf(bytes: Uint8Array | undefined, written: number): Uint8Array | undefined {
  return bytes && written < bytes.length ? bytes.subarray(written) : undefined;
}
