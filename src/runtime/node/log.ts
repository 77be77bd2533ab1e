import { type DestinationStream, pino } from 'pino';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../observability/log.ts';
import { asText } from '../../observability/log-format.ts';

export interface NodeLog {
  readonly log: Log;
  /** Writes at once what is still in memory: for the end of the process. */
  readonly flush: () => void;
}

/**
 * Lines go out so many characters at a time, and never later than this in milliseconds: a reader who is slow holds
 * nobody up, and a line written by itself would cost more than the answer that it tells of.
 */
const buffer = { minLength: 8_192, periodicFlush: 200 };
/** While nobody reads, what is more than this is dropped. */
const maxLength = 16_777_216;

/**
 * The log in the shape that it has on Workers too (`createJsonLog`), or as text for a person.
 * @param fd a file descriptor. @param terminal a person reads, unless LOG_FORMAT says otherwise.
 */
export function createNodeLog(
  { LOG_LEVEL: level, LOG_FORMAT: format }: Pick<Settings, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  fd: number,
  terminal: boolean,
): NodeLog {
  const destination = pino.destination({ fd, sync: false, ...buffer, maxLength });
  // Who reads no further is no error: the proxy goes on, as without a log.
  destination.on('error', () => undefined);
  const text = format === 'text' || (format === 'auto' && terminal);
  const lines: DestinationStream = {
    write: (line) => void destination.write(`${asText(line.trimEnd())}\n`),
  };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    text ? lines : destination,
  );
  // A child logger for what lines have in common costs more than the line, where it is one.
  const log: Log = (each, message, facts = {}) => logger[each](facts, message);
  return { log, flush: () => flush(destination) };
}

/** A destination that was never written to is not open yet. */
function flush(destination: { flushSync(): void }): void {
  try {
    destination.flushSync();
  } catch {
    // Nothing can be told any more.
  }
}
