import { Failure } from '../errors.ts';
import { type Challenge, parseChallenges } from '../upstream/challenge.ts';
import type { TokenRelay } from './token-relay.ts';
import type { UpstreamLogin } from './upstream-login.ts';

/** What a client is told when upstream wants a login; any other error stays what it is. */
export type TellRefusal = (error: unknown, address: string) => Promise<unknown>;

/**
 * Where clients log in to upstream, its challenge is theirs to meet. Where the proxy asks in its own name it is not:
 * a client that met it would send upstream's password to a proxy that has no use for it. DENIED is what Docker
 * shows as "pull access denied … may require 'docker login'", and registries answer 401 for what does not exist.
 */
export function createTellRefusal(login: UpstreamLogin, relay: TokenRelay | undefined): TellRefusal {
  return async (error, address) => {
    if (!(error instanceof Failure) || error.code !== 'UNAUTHORIZED') return error;
    const { message, cause } = error;
    const detail = error.detail ? { detail: error.detail } : {};
    if (login !== 'passthrough') {
      const whose = login.kind === 'none' ? 'without a login' : 'with an account of its own';
      return new Failure('DENIED', `${message} regshift asks upstream ${whose}.`, { cause, ...detail });
    }
    const headers = await relayedHeaders(error.headers, relay, address);
    return new Failure('UNAUTHORIZED', message, { cause, ...detail, headers });
  };
}

/** With the proxy's own address in the place of upstream's realm. */
async function relayedHeaders(
  headers: Readonly<Record<string, string>>,
  relay: TokenRelay | undefined,
  address: string,
): Promise<Readonly<Record<string, string>>> {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'www-authenticate');
  // A token server has refused the login that the client brought with its first request. A 401 without a challenge
  // is none (RFC 9110 §15.5.2), and a Basic login is what was taken.
  if (name === undefined) return { ...headers, 'WWW-Authenticate': 'Basic realm="regshift"' };
  const challenges = parseChallenges(headers[name] ?? '');
  if (relay === undefined || !challenges.some(({ scheme }) => scheme === 'bearer')) return headers;
  // Upstream's own challenge is still better than none.
  const server = await relay.server().catch(() => undefined);
  if (server === undefined) return headers;
  const relayed = challenges.map((challenge) =>
    relayedChallenge(challenge, server.realm, `${address}/token`),
  );
  return { ...headers, [name]: relayed.map(formatChallenge).join(', ') };
}

/** Only the realm of the ping is relayed to: a repository that names another one keeps it. */
function relayedChallenge({ scheme, parameters }: Challenge, realm: string, own: string): Challenge {
  if (scheme !== 'bearer' || parameters.get('realm') !== realm) return { scheme, parameters };
  return { scheme, parameters: new Map([...parameters, ['realm', own]]) };
}

function formatChallenge({ scheme, parameters }: Challenge): string {
  const name = scheme.charAt(0).toUpperCase() + scheme.slice(1);
  const fields = [...parameters].map(([key, value]) => `${key}="${value.replace(/["\\]/g, '\\$&')}"`);
  return fields.length === 0 ? name : `${name} ${fields.join(',')}`;
}
