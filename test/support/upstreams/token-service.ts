import { randomBytes } from 'node:crypto';
import { basicOf, type Login } from './habit.ts';
import { jsonReply, type Question, type Reply, specReply } from './loopback.ts';

export interface TokenServiceOptions {
  /** The login whose tokens have rights; without one, every token may pull everything. */
  readonly login?: Login;
  readonly realm: () => string;
  readonly service: string;
  /** The lifetime of a token, in seconds. */
  readonly lifetime?: number;
}

/** Issues tokens for scopes, and recognizes them (distribution, "Token Authentication"). */
export interface TokenService {
  answer(question: Question): Reply;
  /** The value of `WWW-Authenticate` of a 401. */
  challenge(scope?: string, error?: string): string;
  /** @returns the challenge for a request that may not pull from the repository; for the ping, when it has no token. */
  refusal(authorization: string | undefined, repository?: string): string | undefined;
  /** Moves the clock of the tokens forward. */
  advance(seconds: number): void;
}

interface Granted {
  readonly scopes: readonly string[];
  readonly until: number;
}

export function createTokenService(options: TokenServiceOptions): TokenService {
  const { login, realm, service, lifetime = 300 } = options;
  const given = new Map<string, Granted>();
  let ahead = 0;
  const now = () => Date.now() + ahead;

  /** The rights that a token for `repository:name:push,pull` gets: pull, or none. */
  const granted = (scope: string, known: boolean): string[] => {
    const [, repository, actions = ''] = /^repository:([^:]+):([a-z,]+)$/.exec(scope) ?? [];
    const may = known || login === undefined;
    return repository && may && actions.split(',').includes('pull') ? [`repository:${repository}:pull`] : [];
  };

  function answer({ method, path, headers }: Question): Reply {
    if (method !== 'GET') return specReply(405, 'UNSUPPORTED', 'GET alone is known here', { Allow: 'GET' });
    const { searchParams } = new URL(path, 'http://tokens.test');
    if (searchParams.get('service') !== service) return specReply(400, 'UNKNOWN', 'for another service');
    const known = login !== undefined && headers.authorization === basicOf(login);
    if (headers.authorization !== undefined && !known) {
      return jsonReply(401, { details: 'incorrect username or password' });
    }
    const asked = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    const token = randomBytes(24).toString('base64url');
    given.set(token, {
      scopes: asked.flatMap((scope) => granted(scope, known)),
      until: now() + lifetime * 1000,
    });
    const issued = new Date(now()).toISOString();
    return jsonReply(200, { token, access_token: token, expires_in: lifetime, issued_at: issued });
  }

  function challenge(scope?: string, error?: string): string {
    const fields = { realm: realm(), service, scope, error };
    const written = Object.entries(fields).flatMap(([key, value]) => (value ? [`${key}="${value}"`] : []));
    return `Bearer ${written.join(',')}`;
  }

  function refusal(authorization: string | undefined, repository?: string): string | undefined {
    const scope = repository && `repository:${repository}:pull`;
    if (authorization === undefined) return challenge(scope);
    const found = given.get(/^Bearer (\S+)$/.exec(authorization)?.[1] ?? '');
    if (!found || found.until <= now()) return challenge(scope, 'invalid_token');
    if (scope === undefined || found.scopes.includes(scope)) return undefined;
    return challenge(scope, 'insufficient_scope');
  }

  return {
    answer,
    challenge,
    refusal,
    advance: (seconds) => {
      ahead += seconds * 1000;
    },
  };
}
