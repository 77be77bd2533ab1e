import { compare } from 'bcryptjs';
import { createBounded } from '../cache/bounded.ts';
import { credentialKey } from '../upstream/credential.ts';
import { type BasicLogin, basicLogin } from './basic-login.ts';
import { type ClientAuth, refused } from './client-auth.ts';
import type { HtpasswdEntry } from './htpasswd-file.ts';

/**
 * A pull asks up to a hundred times with the same login, and bcrypt at its usual cost takes some 80 ms of the one
 * thread for each. Workers count them as CPU time, of which a free plan has 10 ms a request: JWTs suit them better.
 */
const rememberedMs = 60_000;

export function createHtpasswdAuth(
  entries: ReadonlyMap<string, HtpasswdEntry>,
  clock: () => number,
): ClientAuth {
  /** Logins that were right, by a keyed hash, and the time until which they need no proof. */
  const proved = createBounded<string, number>(1000);

  return {
    async authenticate(headers) {
      const authorization = headers.get('authorization');
      const login = basicLogin(authorization);
      if (authorization === null || login === undefined) {
        return refused('Log in with a user name and a password of this proxy (docker login).');
      }
      const key = credentialKey({ kind: 'client', authorization });
      if (clock() < (proved.get(key) ?? 0)) return { ok: true, subject: login.username };
      if (!(await isRight(entries, login))) {
        return refused('The user name or the password is wrong: log in again (docker login).');
      }
      proved.set(key, clock() + rememberedMs);
      return { ok: true, subject: login.username };
    },
  };
}

/** A user that does not exist costs as much as one that does, or the time of an answer would tell who does. */
async function isRight(entries: ReadonlyMap<string, HtpasswdEntry>, login: BasicLogin): Promise<boolean> {
  const entry = entries.get(login.username);
  const [decoy] = entries.values();
  const hash = (entry ?? decoy)?.hash;
  const fits = hash !== undefined && (await compare(login.password, hash));
  return fits && entry !== undefined;
}
