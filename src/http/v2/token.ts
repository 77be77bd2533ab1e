import type { TokenRelay } from '../../auth/token-relay.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import {
  basicAuthorization,
  type Credential,
  type StaticCredential,
} from '../../upstream/auth/credential.ts';
import type { GrantedToken } from '../../upstream/auth/token-server.ts';
import { bytesResponse } from '../responses.ts';

const noStore = { 'Cache-Control': 'no-store' } as const;

/** "A token should never be returned with less than 60 seconds to live" (distribution, token specification). */
const shortestLife = 60;

/**
 * `GET /token`: upstream's token server, through the proxy (distribution, "Token Authentication"). Of the query only
 * `service` and `scope` go on. `account` says again what Basic says; `offline_token` and `client_id` ask for a
 * refresh token, which would have to come back by POST (OAuth 2): 405 here, and so none is given out. Docker POSTs
 * only with a refresh token; containerd ≥ 1.6 POSTs a password first and comes back with GET on 405.
 * @throws RegistryError as `TokenRelay.token`: UNAUTHORIZED when the token server refuses the login (with a Basic challenge
 *   from upstream-refusal.ts).
 * @param upstreamScope what upstream is asked for in the place of a client's scope; undefined for nothing.
 */
export async function tokenResponse(
  relay: TokenRelay | undefined,
  request: ClientRequest,
  clock: () => number,
  upstreamScope: (scope: string) => string | undefined,
): Promise<Response> {
  if (relay === undefined) throw new RegistryError('ENDPOINT_UNKNOWN', 'This proxy gives out no tokens.');
  const { searchParams } = request.url;
  const service = searchParams.get('service') ?? undefined;
  const asked = searchParams.getAll('scope').filter((scope) => scope !== '');
  const scopes = [...new Set(asked.flatMap((scope) => upstreamScope(scope) ?? []))];
  const credential = basicOnly(request.context.credential);
  const token = await relay.token({ service, scopes, credential }).catch((error: unknown) => {
    throw notStored(error);
  });
  const body = new TextEncoder().encode(JSON.stringify(answerFields(token, clock())));
  return bytesResponse(body, { 'Content-Type': 'application/json', ...noStore }, request.method === 'HEAD');
}

/** A Bearer value is no login: it is what is asked for here. */
function basicOnly(credential: Credential): StaticCredential {
  const isLogin = credential.kind !== 'kept' && basicAuthorization(credential) !== undefined;
  return isLogin ? credential : { kind: 'none' };
}

/** Both names of the token: Docker ≤ 1.10 knows only `token`, OAuth 2 only `access_token`. */
function answerFields({ value, expiresIn, issuedAt }: GrantedToken, now: number) {
  return {
    token: value,
    access_token: value,
    expires_in: Math.max(shortestLife, Math.floor(expiresIn)),
    issued_at: new Date(issuedAt ?? now).toISOString(),
  };
}

function notStored(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { code, message, cause, detail } = error;
  const headers = { ...error.headers, ...noStore };
  return new RegistryError(code, message, { cause, headers, ...(detail ? { detail } : {}) });
}
