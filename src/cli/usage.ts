/** Exit codes: success; a failed command or an invalid subject; wrong usage or settings. */
export const exitCodes = { good: 0, failed: 1, wrongUsage: 2 } as const;

/** Wrong arguments or options. The message says what is right; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
