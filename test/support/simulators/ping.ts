import type { HeaderLine } from '../old-clients.ts';
import { basicOf } from '../upstreams/habit.ts';
import { parseGoChallenge } from './go-challenge.ts';
import type { Session } from './session.ts';
import { getToken } from './token.ts';

export interface PingRules {
  readonly headers: readonly HeaderLine[];
  /** The number of pings: Docker 1.6 and 1.7 ping twice. */
  readonly times: number;
  /** The actions of the scope: Docker 1.8 requests push too. */
  readonly actions: 'pull' | 'push,pull';
  /** Parameters that a login adds to the token request. */
  readonly withLogin?: Readonly<Record<string, string>>;
}

/** Pings, and follows the challenge: Basic, a token, or nothing. @throws Error as a client fails. */
export async function pingAndLogIn(session: Session, rules: PingRules): Promise<void> {
  const { headers, times, actions, withLogin } = rules;
  let answer = await session.send('GET', '/v2/', headers);
  for (let more = 1; more < times; more += 1) answer = await session.send('GET', '/v2/', headers);
  // Docker up to 1.9 takes a registry without this header for one of API v1.
  if (answer.header('Docker-Distribution-Api-Version') !== 'registry/2.0')
    throw new Error('not a v2 registry');
  if (answer.status === 200) return;
  if (answer.status !== 401) throw new Error(`ping: ${answer.status}`);
  const challenge = parseGoChallenge(answer.header('WWW-Authenticate'));
  const { login, repository } = session.target;
  if (challenge?.scheme === 'basic' && login) session.authorization = basicOf(login);
  if (challenge?.scheme !== 'bearer') return;
  const scopes = [`repository:${repository}:${actions}`];
  const token = await getToken(session, { challenge, scopes, headers, ...(withLogin ? { withLogin } : {}) });
  session.authorization = `Bearer ${token}`;
}
