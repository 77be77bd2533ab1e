/** The cost of a bcrypt hash like `$2y$10$…`: it takes 2^cost rounds. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

/**
 * A hash of this cost that no password matches. bcryptjs 3.0.3 returns early for a hash of another length than 60
 * characters and for a salt that does not decode (index.js, `compareSync`, `_hash`); this one has neither fault, so
 * that a comparison runs through all rounds.
 */
export function decoyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22 + 31)}`;
}

/**
 * Decoys that together with one comparison of `cost` take exactly the rounds of one comparison of `dearest`:
 * 2^cost + (2^cost + 2^(cost+1) + … + 2^(dearest-1)) = 2^dearest.
 */
export function decoysUpTo(dearest: number, cost: number): readonly string[] {
  return Array.from({ length: dearest - cost }, (_, index) => decoyHash(cost + index));
}
