import type { WallClock } from '../clock.ts';
import { jsonText } from './json-text.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Facts of one event. They contain no credential: nothing from `Authorization` or from a token server's response. */
export type Facts = Readonly<Record<string, unknown>>;

/** Writes events. */
export interface Log {
  (level: Level, message: string, facts?: Facts): void;
  /** The same log for events that have these facts in common. Undefined if that would save no work. */
  readonly bound?: (common: Facts) => Log;
}

const order: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/**
 * A log of one JSON object a line: `level`, `time`, `message` and the facts.
 * @param least events of a lower level are not written.
 * @param write gets each line without a line break.
 */
export function createJsonLog(least: Level, wallClock: WallClock, write: (line: string) => void): Log {
  const time = createTimes(wallClock);
  const logWith = (common: string): Log => {
    const log = (level: Level, message: string, facts: Facts = {}) => {
      if (order.indexOf(level) < order.indexOf(least)) return;
      const all = `${common}${members(facts)}`;
      write(`{"level":"${level}","time":"${time()}","message":${jsonText(message)}${all}}`);
    };
    return Object.assign(log, { bound: (facts: Facts) => logWith(common + members(facts)) });
  };
  return logWith('');
}

function members(facts: Facts): string {
  const json = jsonText(facts).slice(1, -1);
  return json === '' ? '' : `,${json}`;
}

/** Formats the time once for all lines of one millisecond. */
function createTimes(wallClock: WallClock): () => string {
  let [last, text] = [Number.NaN, ''];
  return () => {
    const now = wallClock();
    if (now.getTime() !== last) [last, text] = [now.getTime(), now.toISOString()];
    return text;
  };
}

/** @returns a log that adds the facts to each event. */
export function bind(log: Log, common: Facts): Log {
  if (log.bound) return log.bound(common);
  return (level, message, facts) => log(level, message, { ...common, ...facts });
}
