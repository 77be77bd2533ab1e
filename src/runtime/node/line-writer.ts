import { write as writeFd, writeSync } from 'node:fs';

export interface LineWriter {
  /** @param line without its end. */
  write(line: string): void;
  /** Writes at once what is still in memory: for the end of the process. */
  flush(): void;
}

/** Under load lines go out so many characters at a time, and never later than this. */
const enough = 8_192;
const longestMs = 200;
/** While nobody reads: what is more than this is lost, and their number told. */
const most = 16_777_216;

/**
 * Writes lines beside the work, so that a reader who is slow holds nobody up. Lines are joined first and handed on in
 * one piece: strings added to each other (sonic-boom, and so pino) cost a third of a hot answer here.
 */
export function createLineWriter(fd: number): LineWriter {
  let lines: string[] = [];
  let length = 0;
  let lost = 0;
  let writing = false;

  function take(): Uint8Array {
    if (lost > 0)
      lines.push(`{"level":"warn","message":"lines of the log were lost: nobody read them","lines":${lost}}`);
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    [lines, length, lost] = [[], 0, 0];
    return bytes;
  }

  function send(): void {
    if (writing || lines.length === 0) return;
    writing = true;
    pass(take());
  }

  function pass(bytes: Uint8Array): void {
    writeFd(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') return void setTimeout(pass, 10, bytes);
      if (!error && written < bytes.length) return pass(bytes.subarray(written));
      // Who reads no further is no error: the proxy goes on, as without a log.
      writing = false;
      if (length >= enough) send();
    });
  }

  setInterval(send, longestMs).unref();
  return {
    write(line) {
      if (length > most) {
        lost += 1;
        return;
      }
      lines.push(line);
      length += line.length;
      if (length >= enough) send();
    },
    flush() {
      if (lines.length > 0) passNow(fd, take());
    },
  };
}

/** @param tries a pipe that is full is waited for, but not for ever. */
function passNow(fd: number, bytes: Uint8Array, tries = 1_000): void {
  try {
    const written = writeSync(fd, bytes);
    if (written < bytes.length) passNow(fd, bytes.subarray(written), tries);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries === 0) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    passNow(fd, bytes, tries - 1);
  }
}
