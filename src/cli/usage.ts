export const exitCodes = { good: 0, failed: 1, wrongUsage: 2 } as const;

/** What was asked for cannot be meant; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
