import type { RepositoryName } from '../../converters/reference.ts';
import type { Background } from '../concurrency/background.ts';
import { withDeadline, withDeadlineForHead } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import type { Budget } from '../request/budget.ts';
import { type Authorization, type Authorizer, createAuthorizer } from './auth/authorizer.ts';
import type { Credential, HelperCredential, StaticCredential } from './auth/credential.ts';
import { createTokenSource } from './auth/token-cache.ts';
import { discard } from './body.ts';
import { type Followed, followRedirects } from './redirect.ts';
import { type Fetch, type Method, send } from './send.ts';

export type { Fetch } from './send.ts';

export interface UpstreamRequest {
  /** Redirects of a request that writes are not followed: the caller is given them. */
  readonly method: Method;
  /** Path and query below the base URL, beginning with /v2/. */
  readonly path: string;
  /** In place of `path`: where upstream itself has sent its client. On another origin it is asked in nobody's name. */
  readonly url?: URL;
  /** For the token's scope: repository:<name>:pull. Absent for the ping. */
  readonly repository?: RepositoryName;
  /** What a token must allow, where that is not to pull from the repository. */
  readonly scopes?: readonly string[];
  readonly credential: Credential;
  /**
   * Streamed, and so sent once: a 401 to it is the caller's to tell. Nothing but the caller's signal ends it. Where its
   * length is known, `headers` say it.
   */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  /** Without credentials: those in here are dropped, or `anonymous` would not be true. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts until the last byte of the body. */
  readonly signal?: AbortSignal | undefined;
  /** Pays for every request that this one leads to: redirects, challenges, tokens. */
  readonly budget?: Budget | undefined;
  /** 'return' hands a redirect that leads away from the registry back to the caller instead of following it. */
  readonly redirects?: 'follow' | 'return';
}

export interface UpstreamAnswer {
  /** Any status. The caller reads its body to the end or discards it. */
  readonly response: Response;
  /**
   * True when upstream gave it to a request that carried no one's credential: none at all, or a token got without
   * one. With a good status, the proof that the content is public.
   */
  readonly anonymous: boolean;
}

export interface UpstreamClient {
  /** The base URL without a slash at its end, for keys of caches. */
  readonly id: string;
  /**
   * @throws RegistryError UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, UPSTREAM_ANSWER, or what a token server's answer
   *   makes (UNAUTHORIZED for a login that it refuses, RATE_LIMITED); the signal's reason when the caller aborts.
   */
  request(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

export interface UpstreamClientOptions {
  /** May have a path, which is put before /v2/. */
  readonly baseUrl: URL;
  readonly fetch: Fetch;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From sending to the headers of the last redirect's answer; a body may take its time. */
  readonly headersDeadlineMs?: number;
  /** Whether the proxy gets a token for a request without a credential, or hands the challenge on. */
  readonly allowAnonymousTokens: boolean;
  readonly background: Background;
  /** Told of each question to a token server, whether it gave a token. */
  readonly onToken?: (granted: boolean) => void;
}

const defaultHeadersDeadlineMs = 30_000;
const credentialHeaders = ['authorization', 'cookie', 'proxy-authorization'];

/** A client of one registry. Keeps tokens and challenges in memory, and nothing of the content. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { baseUrl, allowAnonymousTokens } = options;
  const id = `${baseUrl.origin}${baseUrl.pathname.replace(/\/+$/, '')}`;
  const tokens = createTokenSource({ ...options, upstream: baseUrl });
  const authorizer = createAuthorizer(tokens, allowAnonymousTokens);

  const isElsewhere = ({ url }: ShownRequest) => url !== undefined && url.origin !== baseUrl.origin;

  async function attempt(request: ShownRequest, grant: Authorization): Promise<Response> {
    const url = request.url ?? urlBelow(id, request.path);
    const headers = headersOf(request, options.userAgent, grant.authorization);
    const followed = await exchange(options, request, url, headers);
    const strayed = isElsewhere(request) || followed.strayed;
    if (strayed && followed.response.status === 401) throw await foreignChallenge(followed, baseUrl);
    return followed.response;
  }

  /** Before a body is sent, which cannot be sent again, upstream is asked once what it wants for the like of it. */
  async function grantFor(request: ShownRequest): Promise<Authorization> {
    const grant = await authorizer.authorize(request);
    if (request.body === undefined || authorizer.isSettled(request)) return grant;
    const { body: _, headers: __, url: ___, ...rest } = request;
    const ping = await attempt({ ...rest, method: 'GET', path: '/v2/' }, grant);
    const better = ping.status === 401 ? await nextGrant(authorizer, ping, grant, request) : undefined;
    await discard(ping);
    return better ?? grant;
  }

  async function respond(request: ShownRequest): Promise<Response> {
    if (isElsewhere(request)) return attempt(request, { authorization: undefined });
    const grant = await grantFor(request);
    const response = await attempt(request, grant);
    if (response.status !== 401) {
      if (!isRead(request)) authorizer.confirm(request);
      return response;
    }
    authorizer.invalidate(grant);
    if (request.body !== undefined) return response;
    const next = await nextGrant(authorizer, response, grant, request);
    if (next === undefined) return response;
    await discard(response);
    const second = await attempt(request, next);
    if (second.status === 401) authorizer.invalidate(next);
    return second;
  }

  return {
    id,
    async request({ credential, ...request }) {
      const response =
        credential.kind === 'kept'
          ? await inKeptName(credential, request.body === undefined, (credential) =>
              respond({ ...request, credential }),
            )
          : await respond({ ...request, credential });
      return { response, anonymous: credential.kind === 'none' };
    },
  };
}

type ShownRequest = Omit<UpstreamRequest, 'credential'> & { readonly credential: StaticCredential };

/**
 * A login that a program keeps may have run out: where upstream refuses it, the program is asked for another.
 * @param again whether the request can be sent twice: a body cannot, and the next one has the new login.
 */
async function inKeptName(
  { helper }: HelperCredential,
  again: boolean,
  respond: (credential: StaticCredential) => Promise<Response>,
): Promise<Response> {
  const login = await helper.current();
  const first = await respond(login).catch((error: unknown) => {
    if (error instanceof RegistryError && error.code === 'UNAUTHORIZED') return error;
    throw error;
  });
  if (first instanceof Response && first.status !== 401) return first;
  const other = await helper.replace(login);
  if (again && other !== undefined) {
    if (first instanceof Response) await discard(first);
    return respond(other);
  }
  if (first instanceof Response) return first;
  throw first;
}

/** One question to upstream, with the redirects that it leads to. */
function exchange(
  options: UpstreamClientOptions,
  request: ShownRequest,
  url: URL,
  headers: Headers,
): Promise<Followed> {
  const milliseconds = options.headersDeadlineMs ?? defaultHeadersDeadlineMs;
  const { method, signal: caller, budget, body } = request;
  const sender = { fetch: options.fetch, method, milliseconds, caller, budget };
  if (body !== undefined) {
    // Nobody knows how long it takes; what upstream then lets wait is ended by the runtime, or by the client.
    const signal = caller ?? new AbortController().signal;
    return send({ ...sender, signal, body }, url, headers).then((response) => only(response, url));
  }
  const within = method === 'HEAD' ? withDeadline : withDeadlineForHead;
  return within(milliseconds, caller, async (signal) => {
    if (!isRead(request)) return only(await send({ ...sender, signal }, url, headers), url);
    const until = request.redirects === 'return' ? 'elsewhere' : 'the end';
    const hopTo = (hop: URL, hopHeaders: Headers) => send({ ...sender, signal }, hop, hopHeaders);
    return await followRedirects(url, headers, hopTo, until);
  });
}

function isRead({ method }: UpstreamRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** An answer without a way to it. */
function only(response: Response, url: URL): Followed {
  return { response, url, strayed: false };
}

/** A token server that refuses a request without a login leaves upstream's own challenge to the client. */
async function nextGrant(
  authorizer: Authorizer,
  response: Response,
  grant: Authorization,
  request: ShownRequest,
): Promise<Authorization | undefined> {
  try {
    return await authorizer.handleChallenge(response, grant, request);
  } catch (error) {
    const refused = error instanceof RegistryError && error.code === 'UNAUTHORIZED';
    if (refused && request.credential.kind === 'none') return undefined;
    await discard(response);
    throw error;
  }
}

function headersOf(request: ShownRequest, userAgent: string, authorization: string | undefined): Headers {
  const headers = new Headers(request.headers);
  for (const name of credentialHeaders) headers.delete(name);
  headers.set('accept-encoding', 'identity');
  headers.set('user-agent', userAgent);
  if (authorization !== undefined) headers.set('authorization', authorization);
  return headers;
}

function urlBelow(id: string, path: string): URL {
  const url = new URL(`${id}${path}`);
  // URL resolves dots, "%2e" too: no path may climb out of the registry that the credential is for.
  if (url.href.startsWith(`${id}/v2/`)) return url;
  throw new RegistryError('INTERNAL', 'A path for upstream does not begin with /v2/.');
}

/** Whoever a redirect leads to may not ask for credentials: they are for the registry that was configured. */
async function foreignChallenge({ response, url }: Followed, baseUrl: URL): Promise<RegistryError> {
  await discard(response);
  return new RegistryError(
    'UPSTREAM_ANSWER',
    `${baseUrl.host} redirects to ${url.origin}, which asks for a login (401); credentials are for ` +
      `${baseUrl.origin} only. If the registry has moved, configure its new address.`,
    { detail: { host: url.host } },
  );
}
