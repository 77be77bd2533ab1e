import { styleText } from 'node:util';
import { type DestinationStream, pino } from 'pino';
import { systemWallClock } from '../../clock.ts';
import type { Settings } from '../../config/settings.ts';
import { createTimes, type Log } from '../../observability/log.ts';
import { asText, type PaintLevel } from '../../observability/log-format.ts';

export interface NodeLog {
  readonly log: Log;
  /** Writes the lines in memory at once, for the end of the process. */
  readonly flush: () => void;
  /** Whether lines are text for a person, and not JSON. */
  readonly isText: boolean;
}

/** The terminal that a person reads the log on. */
export interface LogTerminal {
  /** Whether it shows colours, and NO_COLOR does not turn them off. */
  readonly color: boolean;
}

/**
 * Lines are written in batches of this many characters, and after this many milliseconds at the latest. A slow reader
 * then delays no request; a write per line would cost more than the response that it is about.
 */
const buffer = { minLength: 8_192, periodicFlush: 200 };
/** Lines beyond this size are dropped while the reader does not read. */
const maxLength = 16_777_216;

/**
 * Creates the log, in the shape that it has on Workers too (`createJsonLog`), or as text for a person.
 * @param fd a file descriptor.
 * @param terminal undefined if a program reads; LOG_FORMAT overrides it.
 */
export function createNodeLog(
  { LOG_LEVEL: level, LOG_FORMAT: format }: Pick<Settings, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  fd: number,
  terminal: LogTerminal | undefined,
): NodeLog {
  const destination = pino.destination({ fd, sync: false, ...buffer, maxLength });
  // A reader that closes its end is not an error: the proxy goes on without a log.
  destination.on('error', () => undefined);
  const isText = format === 'text' || (format === 'auto' && terminal !== undefined);
  const paint = terminal?.color ? paintLevel : undefined;
  const lines: DestinationStream = {
    write: (line) => void destination.write(`${asText(line.trimEnd(), paint)}\n`),
  };
  const time = createTimes(systemWallClock);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    isText ? lines : destination,
  );
  // A child logger for the common fields costs more than the line itself if there is one line.
  const log: Log = (each, message, facts = {}) => logger[each](facts, message);
  return { log, flush: () => flush(destination), isText };
}

const levelColors = { debug: 'dim', warn: 'yellow', error: 'red' } as const;

/** The command line has decided about colours. */
const paintLevel: PaintLevel = (level, text) =>
  level === 'info' ? text : styleText(levelColors[level], text, { validateStream: false });

/** A destination without a write is not open yet. */
function flush(destination: { flushSync(): void }): void {
  try {
    destination.flushSync();
  } catch {
    // There is no place left to report this.
  }
}
