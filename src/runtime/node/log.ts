import { styleText } from 'node:util';
import { type DestinationStream, pino } from 'pino';
import { systemWallClock } from '../../clock.ts';
import type { Settings } from '../../config/settings.ts';
import { createTimes, type Log } from '../../observability/log.ts';
import { asText, type PaintLevel } from '../../observability/log-format.ts';
import { createLogDestination, type LogDestination } from './log-destination.ts';

export interface NodeLog extends Pick<LogDestination, 'flush' | 'isWriting'> {
  readonly log: Log;
  /** Whether lines are text for a person, and not JSON. */
  readonly isText: boolean;
}

/** The terminal that a person reads the log on. */
export interface LogTerminal {
  /** Whether it shows colours, and NO_COLOR does not turn them off. */
  readonly color: boolean;
}

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
  const destination = createLogDestination(fd, {
    onDropped: (count) => log('warn', 'lines of the log were dropped: its reader is too slow', { count }),
  });
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
  return { log, flush: destination.flush, isWriting: destination.isWriting, isText };
}

const levelColors = { debug: 'dim', warn: 'yellow', error: 'red' } as const;

/** The command line has decided about colours. */
const paintLevel: PaintLevel = (level, text) =>
  level === 'info' ? text : styleText(levelColors[level], text, { validateStream: false });
