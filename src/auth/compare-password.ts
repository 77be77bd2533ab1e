import { compareSync } from 'bcryptjs';

/**
 * Compares a password with a bcrypt hash. If they do not match, the password is compared with each decoy too, so that
 * a wrong password takes the time of all comparisons; a match with a decoy is ignored. One call takes all hashes,
 * because a wait between two comparisons would reveal their number.
 * @param hash like `$2y$10$…`, as `parseHtpasswd` accepts it.
 * @throws RegistryError INTERNAL if the comparison fails; the login must then be refused.
 */
export type ComparePassword = (password: string, hash: string, decoys: readonly string[]) => Promise<boolean>;

/**
 * Compares on the calling thread, synchronously. workerd drops the timers of a request whose client leaves, so that
 * bcryptjs's asynchronous comparison would never end, and the logins behind it would wait forever.
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
