import { compareSync } from 'bcryptjs';

/**
 * Compares a password with a bcrypt hash. Where they do not match, each decoy is compared too, so that a wrong
 * password takes the time of all; a match with a decoy counts for nothing. One call has all hashes, because each wait
 * between two comparisons would tell how many there are.
 * @param hash like `$2y$10$…`, as `parseHtpasswd` accepts it.
 * @throws RegistryError INTERNAL when the comparison could not be made; the login must be refused then.
 */
export type ComparePassword = (password: string, hash: string, decoys: readonly string[]) => Promise<boolean>;

/**
 * Compares on the calling thread. Synchronously: workerd drops the timers of a request whose client leaves, and
 * bcryptjs's asynchronous comparison would then never end for the logins that wait behind it.
 */
export async function compareInPlace(
  password: string,
  hash: string,
  decoys: readonly string[],
): Promise<boolean> {
  if (compareSync(password, hash)) return true;
  for (const decoy of decoys) compareSync(password, decoy);
  return false;
}
