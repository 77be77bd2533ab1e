import { styleText } from 'node:util';
import { systemWallClock } from '../../clock.ts';
import type { Settings } from '../../config/settings.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
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
 * Creates the log, in the shape that it has on Workers too, or as text for a person.
 * @param fd a file descriptor.
 * @param terminal undefined if a program reads; LOG_FORMAT overrides it.
 */
export function createNodeLog(
  { LOG_LEVEL: level, LOG_FORMAT: format }: Pick<Settings, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  fd: number,
  terminal: LogTerminal | undefined,
): NodeLog {
  const destination = createLogDestination(fd, {
    onDropped: (count): void =>
      log('warn', 'lines of the log were dropped: its reader is too slow', { count }),
  });
  const isText = format === 'text' || (format === 'auto' && terminal !== undefined);
  const paint = terminal?.color ? paintLevel : undefined;
  const write = isText
    ? (line: string) => destination.write(`${asText(line, paint)}\n`)
    : (line: string) => destination.write(`${line}\n`);
  const log = createJsonLog(level, systemWallClock, write);
  return { log, flush: destination.flush, isWriting: destination.isWriting, isText };
}

const levelColors = { debug: 'dim', warn: 'yellow', error: 'red' } as const;

/** The command line has decided about colours. */
const paintLevel: PaintLevel = (level, text) =>
  level === 'info' ? text : styleText(levelColors[level], text, { validateStream: false });
