import { clientNames } from '../negotiation/known-clients.ts';
import { wrapWords } from './terminal/text.ts';

/** The part of a help text that lists the clients of `--for` and `--clients`. */
export function clientsHelp(more: readonly string[] = []): string {
  const names = [...clientNames, ...more].join(', ');
  return `\n${wrapWords(`Clients: ${names}. Other versions, like docker-18.09, stand for their group.`, 80).join('\n')}`;
}

/** Exit codes: success; a failed command or an invalid subject; wrong usage or settings. */
export const exitCodes = { good: 0, failed: 1, wrongUsage: 2 } as const;

/** Wrong arguments or options. The message says what is right; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
