import type { Settings } from '../../config/settings.ts';
import { createJsonLog, type Log } from '../../observability/log.ts';
import { asText } from '../../observability/log-text.ts';
import type { LineWriter } from './line-writer.ts';

/** @param terminal a person reads, unless LOG_FORMAT says otherwise. */
export function createNodeLog(
  { LOG_LEVEL: level, LOG_FORMAT: format }: Pick<Settings, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  { write }: Pick<LineWriter, 'write'>,
  terminal: boolean,
): Log {
  const text = format === 'text' || (format === 'auto' && terminal);
  return createJsonLog(level, Date.now, text ? (line) => write(asText(line)) : write);
}
