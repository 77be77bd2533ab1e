import type { TakeTurn } from '../../converters/ports.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock, WallClock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { hasCode, RegistryError } from '../errors.ts';
import { type Authorization, type Authorizer, createAuthorizer } from './auth/authorizer.ts';
import type { Credential, HelperCredential, StaticCredential } from './auth/credential.ts';
import { createTokenCache } from './auth/token-cache.ts';
import { discard } from './body.ts';
import { type ExchangedRequest, type ExchangeOptions, exchange, isRead } from './exchange.ts';
import { originsOf } from './origins.ts';
import type { Followed } from './redirect.ts';
import { isRepeatable, type SentHeaders } from './send.ts';
import { usualTimeouts } from './timeouts.ts';

export type { Fetch } from './send.ts';

export interface UpstreamRequest extends ExchangedRequest {
  /** Path and query below the base URL, beginning with /v2/. */
  readonly path: string;
  /** Replaces `path`: a URL that upstream itself named. On another origin, the request has no credential. */
  readonly url?: URL;
  /** The repository of the token's scope `repository:<name>:pull`. Absent for the ping. */
  readonly repository?: RepositoryName;
  /** The scopes that a token must have; without them, the right to pull from the repository. */
  readonly scopes?: readonly string[];
  readonly credential: Credential;
  /** Credentials in here are dropped, because `anonymous` would otherwise be wrong. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the User-Agent of regshift, to ask as another client does. */
  readonly userAgent?: string | undefined;
}

export interface UpstreamResponse {
  /** Any status. The caller reads its body to the end or discards it. */
  readonly response: Response;
  /**
   * True when the request carried no credential, or a token that was got without one. With a good status, this proves
   * that the content is public.
   */
  readonly anonymous: boolean;
  /**
   * True when the registry itself refuses the request for good: 401 after each challenge that could be met, with a new
   * token, or 403. The refusal of a server that a redirect leads to is not the registry's.
   */
  readonly refused: boolean;
  /** Takes the error of a body that ends early or stands still; absent where no other registry has the content. */
  readonly onBroken?: (error: unknown) => void;
}

export interface UpstreamClient {
  /** The base URL without a slash at its end. It is part of cache keys. */
  readonly id: string;
  /** Other origins that mean this registry (`originsOf`); absent where there are none. */
  readonly origins?: ReadonlySet<string> | undefined;
  /** Waits for a turn of the event loop to read a document; absent where nothing else runs in the process. */
  readonly turn?: TakeTurn | undefined;
  /** Milliseconds for a document, from its first byte to its last; absent for the usual ones. */
  readonly answerMs?: number | undefined;
  /**
   * @throws RegistryError UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, UPSTREAM_ANSWER, or the error of a token server
   *   (UNAUTHORIZED for a login that it refuses, RATE_LIMITED); the signal's reason when it is aborted.
   */
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
}

export interface UpstreamClientOptions extends ExchangeOptions {
  /** May have a path, which comes before /v2/. */
  readonly baseUrl: URL;
  /** Other origins that mean this registry, like `http://registry.internal:5000`. */
  readonly aliases?: readonly string[];
  readonly userAgent: string;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  /** Whether a request without a credential gets a token, or the challenge is passed on. */
  readonly allowAnonymousTokens: boolean;
  readonly background: Background;
  readonly memory: MemoryBudget;
  /** Shared by all clients of the process. Absent where nothing else runs in the process. */
  readonly turn?: TakeTurn | undefined;
  /** Called after each token request with whether the server gave a token. */
  readonly onToken?: (granted: boolean) => void;
}

const credentialHeaders = ['authorization', 'cookie', 'proxy-authorization'];

/** The HTTP client of one registry. It keeps tokens and challenges in memory, and no content. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { baseUrl, allowAnonymousTokens } = options;
  const id = `${baseUrl.origin}${baseUrl.pathname.replace(/\/+$/, '')}`;
  const answerMs = options.headersDeadlineMs ?? usualTimeouts.answerMs;
  const tokenLimit = options.failoverMs === undefined ? { deadlineMs: answerMs } : {};
  const tokens = createTokenCache({ ...options, ...tokenLimit, upstream: baseUrl });
  const authorizer = createAuthorizer(tokens, allowAnonymousTokens, options.memory);

  const isOtherOrigin = ({ url }: StaticRequest) => url !== undefined && url.origin !== baseUrl.origin;

  async function attempt(request: StaticRequest, grant: Authorization): Promise<Answer> {
    const url = request.url ?? urlBelow(id, request.path);
    const headers = requestHeaders(request, request.userAgent ?? options.userAgent, grant.authorization);
    const followed = await exchange(options, request, url, headers);
    const leftOrigin = isOtherOrigin(request) || followed.leftOrigin;
    if (leftOrigin && followed.response.status === 401) throw await foreignChallenge(followed, baseUrl);
    return { response: followed.response, leftOrigin };
  }

  /** A body cannot be sent again, so a ping finds out the Authorization that upstream wants before it is sent. */
  async function grantFor(request: StaticRequest): Promise<Authorization> {
    const grant = await authorizer.authorize(request);
    if (request.body === undefined || authorizer.isSettled(request)) return grant;
    const { body: _, headers: __, url: ___, ...rest } = request;
    const { response: ping } = await attempt({ ...rest, method: 'GET', path: '/v2/' }, grant);
    const better = ping.status === 401 ? await answerChallenge(authorizer, ping, grant, request) : undefined;
    await discard(ping);
    return better ?? grant;
  }

  async function respond(request: StaticRequest): Promise<Answer> {
    if (isOtherOrigin(request)) return attempt(request, { authorization: undefined });
    const grant = await grantFor(request);
    const first = await attempt(request, grant);
    const { response } = first;
    if (response.status !== 401) {
      if (!isRead(request)) authorizer.confirm(request);
      return first;
    }
    authorizer.invalidate(grant);
    if (!isRepeatable(request)) {
      authorizer.unsettle(request);
      return first;
    }
    const next = await answerChallenge(authorizer, response, grant, request);
    if (next === undefined) return first;
    await discard(response);
    const second = await attempt(request, next);
    if (second.response.status === 401) authorizer.invalidate(next);
    return second;
  }

  return {
    id,
    origins: originsOf(baseUrl, options.aliases ?? []),
    turn: options.turn,
    answerMs,
    async request({ credential, ...request }) {
      const { response, leftOrigin } =
        credential.kind === 'kept'
          ? await withHelperCredential(credential, isRepeatable(request), (credential) =>
              respond({ ...request, credential }),
            )
          : await respond({ ...request, credential });
      const refused = !leftOrigin && (response.status === 401 || response.status === 403);
      return { response, anonymous: credential.kind === 'none', refused };
    },
  };
}

type Answer = Pick<Followed, 'response' | 'leftOrigin'>;

type StaticRequest = Omit<UpstreamRequest, 'credential'> & { readonly credential: StaticCredential };

/**
 * Sends a request with the login of a credential helper. The login may have expired: if upstream refuses it, the helper
 * is asked for another one.
 * @param repeatable whether the request can be sent twice. If not, the next request has the new login.
 */
async function withHelperCredential(
  { helper }: HelperCredential,
  repeatable: boolean,
  respond: (credential: StaticCredential) => Promise<Answer>,
): Promise<Answer> {
  const login = await helper.current();
  const first = await respond(login).catch((error: unknown) => {
    if (hasCode(error, 'UNAUTHORIZED')) return error;
    throw error;
  });
  const isAnswer = 'response' in first;
  if (isAnswer && first.response.status !== 401) return first;
  const other = await helper.replace(login);
  if (repeatable && other !== undefined) {
    if (isAnswer) await discard(first.response);
    return respond(other);
  }
  if (isAnswer) return first;
  throw first;
}

/** Where the token server refuses a request without a login, the client gets upstream's own challenge. */
async function answerChallenge(
  authorizer: Authorizer,
  response: Response,
  grant: Authorization,
  request: StaticRequest,
): Promise<Authorization | undefined> {
  try {
    return await authorizer.handleChallenge(response, grant, request);
  } catch (error) {
    const refused = hasCode(error, 'UNAUTHORIZED');
    if (refused && request.credential.kind === 'none') return undefined;
    await discard(response);
    throw error;
  }
}

function requestHeaders(
  request: StaticRequest,
  userAgent: string,
  authorization: string | undefined,
): SentHeaders {
  const own = { 'accept-encoding': 'identity', 'user-agent': userAgent };
  const headers: Record<string, string> = authorization === undefined ? own : { ...own, authorization };
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const lower = name.toLowerCase();
    if (!(Object.hasOwn(headers, lower) || credentialHeaders.includes(lower))) headers[lower] = value;
  }
  return headers;
}

function urlBelow(id: string, path: string): URL {
  const url = new URL(`${id}${path}`);
  // URL resolves dots, "%2e" too: no path may lead out of the registry that the credential is for.
  if (url.href.startsWith(`${id}/v2/`)) return url;
  throw new RegistryError('INTERNAL', 'A path for upstream does not begin with /v2/.');
}

/** A server that a redirect leads to gets no credentials: they are for the configured registry. */
async function foreignChallenge({ response, url }: Followed, baseUrl: URL): Promise<RegistryError> {
  await discard(response);
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `${baseUrl.host} redirects to ${url.origin}, which asks for a login (401); credentials are for ` +
      `${baseUrl.origin} only. If the registry has moved, configure its new address.`,
    { detail: { host: url.host } },
  );
}
