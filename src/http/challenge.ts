import type { TokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { hasCode, RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import { clientName, renameScope } from '../routing/repository-names.ts';
import { type Challenge, parseChallenges } from '../upstream/auth/challenge.ts';
import { leavesTls } from './public-url.ts';

/** Makes the error that a client gets when upstream wants a login. Any other error stays unchanged. */
export type ExplainRefusal = (error: unknown, request: ClientRequest) => Promise<unknown>;

/**
 * With pass-through, upstream's challenge goes to the client. With an account of the proxy it does not: a client that
 * met the challenge would send its upstream password to the proxy, which has no use for it. The client gets DENIED,
 * which Docker shows as "pull access denied … may require 'docker login'". Registries also answer 401 for a
 * repository that does not exist.
 */
export function createExplainRefusal(
  login: UpstreamLogin,
  relay: TokenRelay | undefined,
  log: Log,
  onAccountRefused: () => void,
): ExplainRefusal {
  const tell = relay ? createChallengeRelay(relay, log) : (challenge: string) => challenge;
  return async (error, request) => {
    if (!hasCode(error, 'UNAUTHORIZED')) return error;
    const { message, cause, detail } = error;
    if (login !== 'passthrough') {
      if (login.kind !== 'none') onAccountRefused();
      const whose = login.kind === 'none' ? 'without a login' : 'with an account of its own';
      return new RegistryError('DENIED', `${message} regshift asks upstream ${whose}.`, { cause, detail });
    }
    const name = Object.keys(error.headers).find((each) => each.toLowerCase() === 'www-authenticate');
    // A refusal without a challenge comes from a token server, for a login sent to /token or with a client's first
    // request. A 401 must have a challenge (RFC 9110 §15.5.2), and the login was Basic.
    const challenge = name ? await tell(error.headers[name] ?? '', request) : 'Basic realm="regshift"';
    const headers = { ...error.headers, [name ?? 'WWW-Authenticate']: challenge };
    const told = detail?.upstreamStatus === 401 ? `${message} ${loginAdvice(request)}` : message;
    return new RegistryError('UNAUTHORIZED', told, { cause, detail, headers });
  };
}

/** The refusal of a HEAD, by which manifests are asked for, has no words of the registry. */
function loginAdvice({ context }: ClientRequest): string {
  return context.credential.kind === 'none'
    ? 'It wants a login: log in at this proxy with a name and a password of the registry.'
    : 'It refuses the login of this request, or this login may not read there.';
}

/** Replaces upstream's realm by the proxy's own address in a value of `WWW-Authenticate`. */
function createChallengeRelay(relay: TokenRelay, log: Log) {
  let warned = false;
  return async (header: string, request: ClientRequest): Promise<string> => {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer === undefined) return header;
    if (leavesTls(request)) {
      if (!warned) log('warn', ...untrusted);
      warned = true;
      return header;
    }
    // Without the token server, upstream's own challenge is still better than none.
    const server = await relay.server(bearer.parameters.get('realm')).catch(() => undefined);
    if (server === undefined) return header;
    const own = `${request.address}/token`;
    return challenges.map((challenge) => format(relayed(challenge, server.realm, own, request))).join(', ');
  };
}

const untrusted = [
  'X-Forwarded-Proto is https and not trusted: clients are sent to the token server of upstream',
  { remedy: 'set REGSHIFT_PUBLIC_URL, or REGSHIFT_TRUSTED_PROXIES to what is in front' },
] as const;

/** The relay serves the realm of the ping only. A challenge with another realm stays unchanged. */
function relayed(
  challenge: Challenge,
  realm: string,
  own: string,
  { repository: named }: ClientRequest,
): Challenge {
  const { scheme, parameters } = challenge;
  if (scheme !== 'bearer' || parameters.get('realm') !== realm) return challenge;
  const scopes = parameters.get('scope')?.split(' ') ?? [];
  const renamed = scopes.map((scope) => renameScope(scope, (repository) => clientName(named, repository)));
  const scope = scopes.length > 0 ? ([['scope', renamed.join(' ')]] as const) : [];
  return { scheme, parameters: new Map([...parameters, ['realm', own], ...scope]) };
}

function format({ scheme, parameters }: Challenge): string {
  const name = scheme.charAt(0).toUpperCase() + scheme.slice(1);
  const fields = [...parameters].map(([key, value]) => `${key}="${value.replace(/["\\]/g, '\\$&')}"`);
  return fields.length === 0 ? name : `${name} ${fields.join(',')}`;
}
