import { nearest } from '../edit-distance.ts';
import { clientNames, findKnownClient, splitClient } from '../negotiation/known-clients.ts';
import { wrapWords } from './terminal/text.ts';

/** The part of a help text that lists the clients of `--for` and `--clients`. */
export function clientsHelp(more: readonly string[] = []): string {
  const names = [...clientNames, ...more].join(', ');
  return `\n${wrapWords(`Clients: ${names}. Other versions, like docker-17.05, stand for their group.`, 80).join('\n')}`;
}

/** Exit codes: success; a failed command or an invalid subject; wrong usage or settings. */
export const exitCodes = { good: 0, failed: 1, wrongUsage: 2 } as const;

/** Wrong arguments or options. The message says what is right; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * The error for a client that no command knows, with the known one that is spelt most like it.
 * @param more names that the command knows beside those of `clientNames`.
 */
export function unknownClient(client: string, more: readonly string[] = []): UsageError {
  const names = [...clientNames, ...more];
  const near = nearestClient(client, names);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return new UsageError(`${client} is not a known client.${hint} Known clients: ${names.join(', ')}.`);
}

/**
 * Finds the program that is spelt most like the one of a client. Any version of it may be right. The log and the page
 * have a slash before the version, and people leave the hyphen out.
 */
function nearestClient(client: string, names: readonly string[]): string | undefined {
  const programs = [...new Set(names.map((name) => splitClient(name)[0]))];
  const [, word = '', version = ''] = /^(.*?)(?:[-/ ]?v?(\d.*))?$/s.exec(client) ?? [];
  const program = nearest(word, programs);
  if (program === undefined) return undefined;
  const whole = `${program}-${version}`;
  return whole !== client && findKnownClient(whole) ? whole : program;
}
