import type { Handler } from 'hono';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { TokenQuestion, TokenRelay } from '../../auth/token-relay.ts';
import type { WallClock } from '../../clock.ts';
import { hasCode, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { renameScope } from '../../routing/repository-names.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import {
  basicAuthorization,
  type Credential,
  type StaticCredential,
} from '../../upstream/auth/credential.ts';
import { readingScope, subjectOf } from '../../upstream/auth/scope.ts';
import type { GrantedToken } from '../../upstream/auth/token-server.ts';
import type { Env } from '../env.ts';
import { readBody } from '../request-body.ts';
import { bytesResponse } from '../responses.ts';
import type { Route } from '../route.ts';

const noStore = { 'Cache-Control': 'no-store' } as const;

/** "A token should never be returned with less than 60 seconds to live" (distribution, token specification). */
const shortestLife = 60;

/** The largest number that Docker reads on each machine: Go's `int` (distribution, registry/client/auth/session.go). */
const longestLife = 2 ** 31 - 1;

/**
 * `GET` and `POST /token` are upstream's token server, reached through the proxy (distribution, "Token Authentication"
 * and "OAuth2 token"). A login comes as Basic, or in the form of a POST: containerd from 1.6 on sends it so first. An
 * identity token comes in a form alone; `docker login` asks for one by `offline_token` (moby, registry/auth.go,
 * `loginV2`), and so do Azure's programs.
 * @throws RegistryError as `TokenRelay.token`: UNAUTHORIZED if the token server refuses the login (with a Basic
 *   challenge from challenge.ts); TOKEN_REQUEST_INVALID; METHOD_NOT_ALLOWED for a grant that is neither of both.
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
  const { service, scopes: asked, credential, offlineFor } = await questionOf(request);
  const renamed = asked.flatMap((client): RenamedScope[] => {
    const upstream = upstreamScope(host, client);
    return upstream === undefined ? [] : [{ client, upstream }];
  });
  const scopes = [...new Set(renamed.map(({ upstream }) => upstream))];
  const now = wallClock();
  const granted = await relay.token({ service, scopes, credential, offlineFor }).catch((error: unknown) => {
    throw notStored(explained(error, credential));
  });
  const fields = {
    ...answerFields(granted, now, offlineFor !== undefined),
    ...(request.method === 'POST' ? { scope: clientScopes(granted.scope, renamed) } : {}),
  };
  const body = new TextEncoder().encode(JSON.stringify(fields));
  return bytesResponse(body, { 'Content-Type': 'application/json', ...noStore }, request.method === 'HEAD');
}

async function questionOf(request: ClientRequest): Promise<TokenQuestion> {
  const isForm = request.method === 'POST';
  const fields = isForm ? await formOf(request) : request.url.searchParams;
  const isOffline = isForm ? fields.get('access_type') === 'offline' : fields.get('offline_token') === 'true';
  const credential = isForm ? loginIn(fields) : basicOnly(request.context.credential);
  return {
    service: fields.get('service') ?? undefined,
    // Spaces divide scopes (RFC 6749, section 3.3), and a query may have several fields.
    scopes: fields
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .filter((scope) => scope !== ''),
    credential,
    offlineFor:
      isOffline || credential.kind === 'identity' ? (fields.get('client_id') ?? unknownClient) : undefined,
  };
}

const unknownClient = 'regshift';

/** A form has a login, an identity token of some KiB, and scopes. */
const formBytes = 65_536;
const formMs = 10_000;

async function formOf(request: ClientRequest): Promise<URLSearchParams> {
  const bytes = await readBody(request, {
    bytes: formBytes,
    milliseconds: formMs,
    tooLarge: () => invalid(`has more than ${formBytes} bytes`),
    tooSlow: () => invalid(`did not arrive within ${formMs / 1000} seconds`, { connection: 'close' }),
  });
  return new URLSearchParams(new TextDecoder().decode(bytes));
}

function invalid(found: string, headers: Record<string, string> = {}): RegistryError {
  return new RegistryError('TOKEN_REQUEST_INVALID', `The form of the request for a token ${found}.`, {
    headers,
  });
}

/** The login in a form. After a 405, containerd asks by GET (containerd 1.7, remotes/docker/authorizer.go). */
function loginIn(fields: URLSearchParams): StaticCredential {
  const field = (name: string) => fields.get(name) ?? '';
  switch (fields.get('grant_type')) {
    case 'refresh_token':
      return { kind: 'identity', token: field('refresh_token') };
    case 'password': {
      const login = { kind: 'service', username: field('username'), password: field('password') } as const;
      return { kind: 'client', authorization: basicAuthorization(login) ?? '' };
    }
    default:
      throw new RegistryError(
        'METHOD_NOT_ALLOWED',
        'A POST for a token needs the grant_type password or refresh_token. Log in by GET with Basic otherwise.',
        { headers: { Allow: 'GET, HEAD, POST' } },
      );
  }
}

/** The relay's words are about an identity token of the proxy. */
function explained(error: unknown, { kind }: StaticCredential): unknown {
  const isRefused = hasCode(error, 'UNAUTHORIZED');
  if (kind !== 'identity' || !isRefused) return error;
  const message = 'The token server of the registry refused the identity token: log in again (docker login).';
  return new RegistryError('UNAUTHORIZED', message, { cause: error });
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

/** A scope by the client's name of a repository, and by upstream's. */
interface RenamedScope {
  readonly client: string;
  readonly upstream: string;
}

/**
 * The granted scopes by the client's names. An OAuth 2 response must have them (distribution, "OAuth2 token", `scope`), and
 * the example there divides them with commas.
 * @param granted as the token server tells them; undefined where they are the requested ones.
 */
function clientScopes(granted: string | undefined, renamed: readonly RenamedScope[]): string {
  const scopes = granted?.split(/\s|,(?=\w+[(:])/) ?? renamed.map(({ upstream }) => upstream);
  // A form has room for 16,000 scopes. Reversed, because the first of two names counts.
  const subjects = new Map(
    renamed.map(({ client, upstream }) => [subjectOf(upstream), subjectOf(client)] as const).reverse(),
  );
  const named = scopes.flatMap((scope) => {
    const subject = subjectOf(scope);
    const client = subjects.get(subject);
    return client === undefined ? [] : [`${client}${scope.slice(subject.length)}`];
  });
  return [...new Set(named)].join(' ');
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
function answerFields({ value, expiresIn, issuedAt, identity }: GrantedToken, now: Date, isOffline: boolean) {
  return {
    token: value,
    access_token: value,
    expires_in: Math.min(longestLife, Math.max(shortestLife, Math.floor(expiresIn))),
    issued_at: (issuedAt ?? now).toISOString(),
    ...(isOffline && identity !== undefined ? { refresh_token: identity } : {}),
  };
}

function notStored(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { code, message, cause, detail } = error;
  const headers = { ...error.headers, ...noStore };
  return new RegistryError(code, message, { cause, headers, detail });
}
