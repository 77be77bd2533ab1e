import type { Facts, Log } from '../../observability/log.ts';

/** The log fields of an exception. */
export function errorFields(error: unknown): Facts {
  return error instanceof Error ? { reason: error.message, stack: error.stack } : { reason: String(error) };
}

/**
 * Logs uncaught exceptions and rejections. A rejected promise belongs to one request, whose `finally` blocks have
 * run: the process goes on. An exception may have left any state half done (nodejs.org/api/process.html, "Warning:
 * Using 'uncaughtException' correctly"): the process ends, and its supervisor starts it again. Exceptions in event
 * handlers of connections do not get here (`guardEvents`).
 * @param exit ends the process with this exit code.
 */
export function logUncaught(log: Log, exit: (code: number) => void): void {
  process.on('unhandledRejection', (reason) => {
    log('error', 'a promise was rejected, and nothing has handled it', errorFields(reason));
  });
  process.on('uncaughtException', (error) => {
    log('error', 'the process ends: nothing has caught an exception', errorFields(error));
    exit(1);
  });
}
