import type { Clock } from '../../clock.ts';
import type { Facts, Log } from '../../observability/log.ts';

const logMs = 60_000;

/**
 * Logs a warning, unless one of its kind was logged within a minute. The next one has the number of those between as
 * `unlogged`.
 * @param kind the message, where warnings with one message are of one kind.
 * @returns false for a warning that was only counted.
 */
export type WarnOnceAMinute = (message: string, facts: Facts, kind?: string) => boolean;

/** The warnings of notifications: another program may repeat the cause of each without end. */
export function createMinuteWarnings(clock: Clock, log: Log): WarnOnceAMinute {
  const last = new Map<string, { readonly at: number; unlogged: number }>();
  return (message, facts, kind = message) => {
    const before = last.get(kind);
    if (before !== undefined && clock() - before.at < logMs) {
      before.unlogged += 1;
      return false;
    }
    last.set(kind, { at: clock(), unlogged: 0 });
    const unlogged = before?.unlogged ?? 0;
    log('warn', message, unlogged === 0 ? facts : { ...facts, unlogged });
    return true;
  };
}
