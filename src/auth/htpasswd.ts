import { credentialKey } from '../upstream/auth/credential.ts';
import { type BasicLogin, basicLogin } from './basic.ts';
import { type ClientAuth, denied } from './client-auth.ts';
import type { ComparePassword } from './compare-password.ts';
import { costOf, decoyHash, decoysUpTo } from './decoy-hashes.ts';
import type { HtpasswdEntry } from './htpasswd-file.ts';
import type { LoginQueue } from './login-queue.ts';

/**
 * A pull asks up to a hundred times with the same login, and bcrypt at its usual cost takes some 100 ms for each.
 * Workers count them as CPU time, of which a free plan has 10 ms a request: JWTs suit them better. The entries stay
 * the same for the life of the process, and a proof with them: each use prolongs it, so that a user at work never
 * waits in the line, however many wrong logins fill it.
 */
const rememberedMs = 600_000;

export interface HtpasswdOptions {
  readonly entries: ReadonlyMap<string, HtpasswdEntry>;
  readonly compare: ComparePassword;
  readonly queue: LoginQueue;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A login that was right. */
interface LoginProof {
  /** A keyed hash of user name and password. */
  readonly key: string;
  readonly until: number;
}

export function createHtpasswdAuth({ entries, compare, queue, clock }: HtpasswdOptions): ClientAuth {
  const isRight = createPasswordCheck(entries, compare);
  /** By user name, so that no more than the entries are remembered. */
  const proofs = new Map<string, LoginProof>();

  function isProved(username: string, key: string): boolean {
    const proof = proofs.get(username);
    if (proof?.key !== key || clock() >= proof.until) return false;
    prove(username, key);
    return true;
  }

  function prove(username: string, key: string): void {
    proofs.set(username, { key, until: clock() + rememberedMs });
  }

  return {
    async authenticate({ headers, address, signal }) {
      const login = basicLogin(headers.get('authorization'));
      if (login === undefined) {
        return denied('Log in with a user name and a password of this proxy (docker login).');
      }
      const { username } = login;
      const key = credentialKey({ kind: 'service', ...login });
      const run = async () => {
        // The same login of another address may have been found right meanwhile.
        if (isProved(username, key)) return true;
        const right = await isRight(login);
        if (right) prove(username, key);
        return right;
      };
      if (isProved(username, key) || (await queue.check({ address, username, key, run }, signal))) {
        return { ok: true, subject: username };
      }
      return denied('The user name or the password is wrong: log in again (docker login).');
    },
  };
}

/**
 * A wrong login takes the rounds of the dearest entry, whatever user it names, so that the time of an answer does not
 * tell which users exist. A right login may be faster: it tells its client nothing new.
 */
function createPasswordCheck(entries: ReadonlyMap<string, HtpasswdEntry>, compare: ComparePassword) {
  const costs = [...entries.values()].map(({ hash }) => costOf(hash));
  const dearest = Math.max(...costs);

  /**
   * An unknown user has the cost of one of the entries, always the same one: more comparisons take a little longer
   * than one of as many rounds, and only known users would show that.
   */
  function decoyFor(username: string): string {
    const mark = credentialKey({ kind: 'service', username, password: '' });
    return decoyHash(costs[Number.parseInt(mark.slice(0, 8), 16) % costs.length] ?? dearest);
  }

  return async ({ username, password }: BasicLogin): Promise<boolean> => {
    if (entries.size === 0) return false;
    const entry = entries.get(username);
    const hash = entry?.hash ?? decoyFor(username);
    const matches = await compare(password, hash, decoysUpTo(dearest, costOf(hash)));
    return matches && entry !== undefined;
  };
}
