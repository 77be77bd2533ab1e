export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Facts of one event. Never a credential: nothing that came in `Authorization` or in a token's answer. */
export type Facts = Readonly<Record<string, unknown>>;

export type Log = (level: Level, message: string, facts?: Facts) => void;

const order: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** One JSON object a line. @param write gets each line without its end. */
export function createJsonLog(least: Level, clock: () => number, write: (line: string) => void): Log {
  return (level, message, facts) => {
    if (order.indexOf(level) < order.indexOf(least)) return;
    write(JSON.stringify({ time: new Date(clock()).toISOString(), level, message, ...facts }));
  };
}
