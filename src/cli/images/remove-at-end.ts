import { rmSync } from 'node:fs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Removes a file or a folder with its content where the process ends before its work: by a signal, or because the reader
 * of its output has gone.
 * @returns a function that takes the listeners away.
 */
export function removeAtEnd(path: string): () => void {
  const remove = () => rmSync(path, { recursive: true, force: true });
  const end = (signal: NodeJS.Signals) => {
    remove();
    forget();
    process.kill(process.pid, signal);
  };
  const forget = () => {
    process.removeListener('exit', remove);
    for (const signal of signals) process.removeListener(signal, end);
  };
  process.on('exit', remove);
  for (const signal of signals) process.on(signal, end);
  return forget;
}
