import type { Running } from './serve.ts';

/**
 * Ends the process as signals say: SIGTERM after what is under way, SIGINT too but without the time of grace, since
 * it comes from a person who waits; the second one at once. As process 1 of a container nothing but this ends it
 * (signal(7): the kernel gives that one no default action). SIGHUP has a renewed certificate looked at.
 * @param exit ends the process with this exit code.
 */
export function obeySignals(running: Running, exit: (code: number) => void): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // As shells tell the end by a signal: 128 and its number.
    if (stopping) return exit(signal === 'SIGINT' ? 130 : 143);
    stopping = true;
    running.shutDown(signal === 'SIGINT').then(
      () => exit(0),
      () => exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => void running.reload());
}
