import type { HeaderLine } from '../old-clients.ts';
import { basicOf } from '../upstreams/habit.ts';
import type { GoChallenge } from './go-challenge.ts';
import type { Session } from './session.ts';

export interface TokenQuestion {
  readonly challenge: GoChallenge;
  readonly scopes: readonly string[];
  readonly headers: readonly HeaderLine[];
  /** Whether a login is also named in the query; containerd does not name it. */
  readonly namesAccount?: boolean;
  /** Parameters that a login adds besides account, scope and service. */
  readonly withLogin?: Readonly<Record<string, string>>;
}

/**
 * Sends `GET <realm>?account=…&scope=…&service=…`, with Basic for a login (distribution, "Token Authentication").
 * @returns the token.
 * @throws Error as a client fails.
 */
export async function getToken(session: Session, question: TokenQuestion): Promise<string> {
  const { challenge, scopes, headers, namesAccount = true, withLogin = {} } = question;
  const { login } = session.target;
  const url = new URL(challenge.parameters.get('realm') ?? '');
  const service = challenge.parameters.get('service');
  if (login && namesAccount) url.searchParams.set('account', login.username);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const [name, value] of Object.entries(login ? withLogin : {})) url.searchParams.set(name, value);
  const basic: HeaderLine[] = login ? [['Authorization', basicOf(login)]] : [];
  return readToken((await session.expectOk('GET', url.href, [...headers, ...basic])).body);
}

/** Reads the token. Docker up to 1.10 reads only `token`; a lifetime below a minute would end during a pull. */
function readToken(body: Uint8Array): string {
  const { token, expires_in: life = 60 } = JSON.parse(new TextDecoder().decode(body));
  if (typeof token !== 'string' || token === '')
    throw new Error('authorization server did not include a token');
  if (life < 60) throw new Error(`the token lives for ${life} s`);
  return token;
}
