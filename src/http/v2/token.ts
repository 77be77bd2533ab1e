import type { Handler } from 'hono';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { TokenRelay } from '../../auth/token-relay.ts';
import type { WallClock } from '../../clock.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { renameScope } from '../../routing/repository-names.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import {
  basicAuthorization,
  type Credential,
  type StaticCredential,
} from '../../upstream/auth/credential.ts';
import { readingScope } from '../../upstream/auth/scope.ts';
import type { GrantedToken } from '../../upstream/auth/token-server.ts';
import type { Env } from '../env.ts';
import { bytesResponse } from '../responses.ts';
import type { Route } from '../route.ts';

const noStore = { 'Cache-Control': 'no-store' } as const;

/** "A token should never be returned with less than 60 seconds to live" (distribution, token specification). */
const shortestLife = 60;

/**
 * `GET /token` is upstream's token server, reached through the proxy (distribution, "Token Authentication"). Of the
 * query, `service` and `scope` are forwarded. `account` repeats the Basic user; `offline_token` and `client_id` ask
 * for a refresh token, which a client would return by POST (OAuth 2). The proxy answers POST with 405 and gives out
 * no refresh token. Docker POSTs only with a refresh token; containerd ≥ 1.6 POSTs a password first and continues
 * with GET at 405.
 * @throws RegistryError as `TokenRelay.token`: UNAUTHORIZED if the token server refuses the login (with a Basic
 *   challenge from challenge.ts).
 */
export function token(wallClock: WallClock): Handler<Env> {
  return (context) =>
    tokenResponse(context.get('route').tokenRelay, context.get('request'), context.get('host'), wallClock);
}

async function tokenResponse(
  relay: TokenRelay | undefined,
  request: ClientRequest,
  host: VirtualHost<Route>,
  wallClock: WallClock,
): Promise<Response> {
  if (relay === undefined) throw new RegistryError('ENDPOINT_UNKNOWN', 'This proxy gives out no tokens.');
  const { searchParams } = request.url;
  const service = searchParams.get('service') ?? undefined;
  const asked = searchParams.getAll('scope').filter((scope) => scope !== '');
  const scopes = [...new Set(asked.flatMap((scope) => upstreamScope(host, scope) ?? []))];
  const credential = basicOnly(request.context.credential);
  const now = wallClock();
  const granted = await relay.token({ service, scopes, credential }).catch((error: unknown) => {
    throw notStored(error);
  });
  const body = new TextEncoder().encode(JSON.stringify(answerFields(granted, now)));
  return bytesResponse(body, { 'Content-Type': 'application/json', ...noStore }, request.method === 'HEAD');
}

/**
 * The scope that upstream is asked for in place of a client's. Clients ask for a token for the name that they know,
 * without `ns`. A name that no route has gets none, and a route that takes no pushes gets a scope to pull.
 */
function upstreamScope(host: VirtualHost<Route>, scope: string): string | undefined {
  const [ns] = host.routes.flatMap(({ match }) => match.ns);
  let takesPushes = host.routes[0].registry.pushes.allowed;
  const renamed = renameScope(scope, (name: RepositoryName) => {
    const found = host.find({ name, ns: undefined }) ?? host.find({ name, ns });
    takesPushes = found?.route.registry.pushes.allowed ?? false;
    return found?.mapping.upstream;
  });
  return renamed && (takesPushes ? renamed : readingScope(renamed));
}

/** A Bearer value is not a login; this endpoint gives it out. */
function basicOnly(credential: Credential): StaticCredential {
  const isLogin = credential.kind !== 'kept' && basicAuthorization(credential) !== undefined;
  return isLogin ? credential : { kind: 'none' };
}

/**
 * Both names of the token: Docker ≤ 1.10 knows only `token`, OAuth 2 only `access_token`.
 * @param now when the token was requested: a server that does not say when it gave the token gave it later.
 */
function answerFields({ value, expiresIn, issuedAt }: GrantedToken, now: Date) {
  return {
    token: value,
    access_token: value,
    expires_in: Math.max(shortestLife, Math.floor(expiresIn)),
    issued_at: (issuedAt ?? now).toISOString(),
  };
}

function notStored(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { code, message, cause, detail } = error;
  const headers = { ...error.headers, ...noStore };
  return new RegistryError(code, message, { cause, headers, ...(detail ? { detail } : {}) });
}
