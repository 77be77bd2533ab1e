import { joinKey } from '../cache/key.ts';
import type { Clock } from '../clock.ts';
import { type BasicLogin, basicLogin } from '../upstream/auth/basic.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { type ClientAuth, denied } from './client-auth.ts';
import type { ComparePassword } from './compare-password.ts';
import type { HtpasswdEntry } from './htpasswd-file.ts';
import type { LoginQueue } from './login-queue.ts';

/**
 * The time for which a correct login is remembered after its last use. A pull sends up to a hundred requests with the
 * same login, and bcrypt at its usual cost takes some 100 ms for each. On Workers that is CPU time, of which a free
 * plan has 10 ms a request: JWTs suit Workers better. A proof is for one entry, and ends when the entry of its user
 * changes. Each use extends it, so that an active user never waits in the queue, however many wrong logins fill it.
 */
const rememberedMs = 600_000;

type Entries = ReadonlyMap<string, HtpasswdEntry>;

export interface HtpasswdOptions {
  /** The entries at the start. */
  readonly entries: Entries;
  /** The newest entries, where their file may change. The same object comes back until it does. */
  readonly renewed?: (() => Promise<Entries>) | undefined;
  readonly compare: ComparePassword;
  readonly queue: LoginQueue;
  readonly clock: Clock;
}

/** A login that was found correct. */
interface LoginProof {
  /** A keyed hash of user name and password. */
  readonly key: string;
  /** The hash of the entry that it was proved by. */
  readonly hash: string;
  readonly until: number;
}

/** Checks Basic logins against the entries of an htpasswd file. */
export function createHtpasswdAuth({ entries, renewed, compare, queue, clock }: HtpasswdOptions): ClientAuth {
  let users = { entries, isRight: createPasswordCheck(entries, compare) };
  /** By user name, so that there are no more proofs than entries. */
  const proofs = new Map<string, LoginProof>();

  function isProved(username: string, key: string): boolean {
    const proof = proofs.get(username);
    if (proof?.key !== key || clock() >= proof.until) return false;
    proofs.set(username, { ...proof, until: clock() + rememberedMs });
    return true;
  }

  async function takeRenewed(): Promise<void> {
    const newest = await renewed?.();
    if (newest === undefined || newest === users.entries) return;
    users = { entries: newest, isRight: createPasswordCheck(newest, compare) };
    for (const [username, { hash }] of proofs) {
      if (hash !== newest.get(username)?.hash) proofs.delete(username);
    }
  }

  return {
    async authenticate({ headers, address, signal }) {
      const login = basicLogin(headers.get('authorization'));
      if (login === undefined) {
        return denied('Log in with a user name and a password of this proxy (docker login).');
      }
      await takeRenewed();
      const { username } = login;
      const key = credentialKey({ kind: 'service', ...login });
      const run = async () => {
        // Another address may have proved the same login in the meantime.
        if (isProved(username, key)) return true;
        const { entries: asked, isRight } = users;
        const hash = asked.get(username)?.hash;
        const right = await isRight(login);
        // The entries may have changed meanwhile, so that the proof is for an entry that is gone.
        if (right && hash !== undefined && hash === users.entries.get(username)?.hash) {
          proofs.set(username, { key, hash, until: clock() + rememberedMs });
        }
        return right;
      };
      // Routes share the queue, and the users of one are not those of another.
      const check = { address, username, key: joinKey(key, users.entries.get(username)?.hash ?? ''), run };
      if (isProved(username, key) || (await queue.check(check, signal))) {
        return { ok: true, subject: username };
      }
      return denied('The user name or the password is wrong: log in again (docker login).');
    },
  };
}

/**
 * Checks one login. A wrong login takes as many bcrypt rounds as the entry of the highest cost, whatever user it names,
 * so that the time of a response does not reveal which users exist. A correct login may be faster: its client learns
 * nothing new from that.
 */
function createPasswordCheck(entries: ReadonlyMap<string, HtpasswdEntry>, compare: ComparePassword) {
  const costs = [...entries.values()].map(({ hash }) => costOf(hash));
  // Not `Math.max(...costs)`: the arguments of a call are on the stack, which a long file overflows.
  const dearest = costs.reduce((most, cost) => Math.max(most, cost), 0);

  /**
   * The hash for an unknown user. Its cost is that of one entry, always the same for one name: several comparisons take
   * a little longer than a single one of as many rounds, and without this only known users would show the difference.
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

/** The cost of a bcrypt hash like `$2y$10$…`; the comparison takes 2^cost rounds. */
function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

/**
 * A hash of a given cost that no password matches. It has 60 characters and a salt that decodes, because bcryptjs 3.0.3
 * returns early for any other (index.js, `compareSync`, `_hash`): a comparison with it runs through all rounds.
 */
export function decoyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22 + 31)}`;
}

/**
 * The decoys that together with one comparison of `cost` take exactly the rounds of one comparison of `dearest`:
 * 2^cost + (2^cost + 2^(cost+1) + … + 2^(dearest-1)) = 2^dearest.
 */
function decoysUpTo(dearest: number, cost: number): readonly string[] {
  return Array.from({ length: dearest - cost }, (_, index) => decoyHash(cost + index));
}
