import { randomBytes } from 'node:crypto';
import { marker } from './markers.ts';
import type { User } from './users.ts';

/** The sender of a request to a registry, by its credential. */
export type Identity =
  | { readonly kind: 'none' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'user'; readonly user: User; readonly scopes: readonly string[] | undefined };

interface Granted {
  readonly user: User | undefined;
  readonly scopes: readonly string[];
  readonly until: number;
}

const tokenLife = 6_000;
let lastToken = 0;

/** The logins of one upstream and the tokens that its token server issued, if it has one. */
export class Logins {
  readonly users: readonly User[];
  readonly #tokens = new Map<string, Granted>();

  constructor(users: readonly User[]) {
    this.users = users;
  }

  identify(authorization: string | undefined): Identity {
    if (authorization === undefined) return { kind: 'none' };
    const user = this.users.find(({ basic }) => basic === authorization);
    if (user) return { kind: 'user', user, scopes: undefined };
    const granted = this.#tokens.get(/^Bearer (\S+)$/.exec(authorization)?.[1] ?? '');
    if (!granted || granted.until < performance.now()) return { kind: 'wrong' };
    return granted.user ? { kind: 'user', user: granted.user, scopes: granted.scopes } : { kind: 'none' };
  }

  /** The owner of a token, also after its end. */
  ownerOf(authorization: string): User | undefined {
    const user = this.users.find(({ basic }) => basic === authorization);
    return user ?? this.#tokens.get(authorization.replace(/^Bearer /, ''))?.user;
  }

  /** Whether a token was issued without a login. */
  isAnonymous(authorization: string): boolean {
    const granted = this.#tokens.get(authorization.replace(/^Bearer /, ''));
    return granted !== undefined && granted.user === undefined;
  }

  grant(user: User | undefined, scopes: readonly string[]): string {
    lastToken += 1;
    const token = `${marker('token', lastToken)}-${randomBytes(12).toString('hex')}`;
    this.#tokens.set(token, { user, scopes, until: performance.now() + tokenLife });
    return token;
  }
}
