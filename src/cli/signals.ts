import { isatty } from 'node:tty';
import { pause } from '../concurrency/deadline.ts';
import type { Log } from '../observability/log.ts';
import type { Running } from '../runtime/node/serve.ts';
import { whenParentEnds } from './launcher.ts';

/**
 * Ends the process on signals: SIGTERM after the requests in flight, SIGINT likewise but without the grace time,
 * since a person waits for it; the second signal at once. Process 1 of a container has no default action for signals
 * (signal(7)), so nothing else ends it. SIGHUP reads a renewed certificate and renewed files of the settings; where the
 * terminal of the process was closed, it is like SIGINT. A start takes seconds while a cloud gives no login: until
 * the proxy serves, a signal to stop ends the process at once, and there is nothing to read again.
 * @param exit ends the process with this exit code.
 * @param isRunByNpm whether this process ends with npm, like after SIGTERM.
 * @returns a function that is called when the proxy serves.
 */
export function obeySignals(
  log: Log,
  exit: (code: number) => void,
  isRunByNpm = false,
): (running: Pick<Running, 'shutDown' | 'reload'>) => void {
  let running: Pick<Running, 'shutDown' | 'reload'> | undefined;
  let stopping = false;
  const stop = (atOnce: boolean) => {
    stopping = true;
    if (running === undefined) {
      log('info', 'stopped');
      return exit(0);
    }
    running.shutDown(atOnce).then(
      () => exit(0),
      () => exit(1),
    );
  };
  // Shells report the end by a signal as 128 plus its number.
  process.on('SIGTERM', () => (stopping ? exit(143) : stop(false)));
  process.on('SIGINT', () => (stopping ? exit(130) : stop(true)));
  if (isRunByNpm) {
    whenParentEnds(() => {
      if (stopping) return;
      log('info', 'stopping: npm has ended');
      stop(false);
    });
  }
  const isTerminalClosed = watchTerminal();
  process.on('SIGHUP', async () => {
    void running?.reload();
    if (!(await isTerminalClosed()) || stopping) return;
    log('info', 'stopping: the terminal was closed');
    stop(true);
  });
  return (started) => {
    running = started;
  };
}

/** Milliseconds between two looks, and the number of looks. */
const lookMs = 100;
const looks = 20;

/**
 * Tells the SIGHUP of a terminal that was closed from one that asks for renewed files. A process without a terminal
 * among its standard streams, like a service, gets only the second kind. Linux takes a terminal away from its processes
 * before it sends them SIGHUP (`__tty_hangup` in drivers/tty/tty_io.c), but a terminal program or a shell may send
 * SIGHUP first.
 * @returns a function for the SIGHUP, whose result is true once a terminal has gone, and false if all are still there
 *   after two seconds.
 */
export function watchTerminal(isTerminal: (fd: number) => boolean = isatty): () => Promise<boolean> {
  const terminals = [0, 1, 2].filter(isTerminal);
  return async () => {
    if (terminals.length === 0) return false;
    for (let look = 0; look < looks; look += 1) {
      if (!terminals.every(isTerminal)) return true;
      await pause(lookMs);
    }
    return false;
  };
}
