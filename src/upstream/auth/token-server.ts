import { isDeadline, withDeadline } from '../../concurrency/deadline.ts';
import { hasCode, RegistryError } from '../../errors.ts';
import type { Budget } from '../../request/budget.ts';
import { discard, readBounded } from '../body.ts';
import { tokenReason } from '../error-response.ts';
import { badResponseError, timeoutError } from '../network-errors.ts';
import { isRedirect } from '../redirect.ts';
import { type Fetch, type Sender, type SentHeaders, send } from '../send.ts';
import { basicLogin } from './basic.ts';
import { basicAuthorization, type StaticCredential } from './credential.ts';
import { realmUrl, type TokenRequest, tokenUrl } from './token-request.ts';

export interface GrantedToken {
  readonly value: string;
  /** Seconds from `issuedAt` on. */
  readonly expiresIn: number;
  /** By the server's clock; undefined when the server does not say. */
  readonly issuedAt: Date | undefined;
  /** The identity token that replaces the one of the request from now on (RFC 6749 §6). */
  readonly identity?: string;
  /** The granted scopes, where the server tells them: others than the requested ones (RFC 6749 §5.1). */
  readonly scope?: string;
}

export interface TokenServerOptions {
  readonly fetch: Fetch;
  readonly userAgent: string;
  /** The registry that names the realm. */
  readonly upstream: URL;
  /** Milliseconds for the whole response, body included. */
  readonly deadlineMs: number;
  /** True if no setting changes `deadlineMs`. */
  readonly isFixed?: boolean | undefined;
  /** Called after each token request with whether the server gave a token. */
  readonly onToken?: (granted: boolean) => void;
}

const answerLimit = 65_536;
/** "If omitted, this defaults to 60 seconds" (distribution, token specification, expires_in). */
const defaultExpiry = 60;

/**
 * Requests a token. A redirect is followed within the origin of the realm alone: another one would carry a password to a
 * server that the challenge did not name.
 * @throws RegistryError UNAUTHORIZED when the server refuses, RATE_LIMITED, UPSTREAM_ANSWER, UPSTREAM_UNREACHABLE or
 *   UPSTREAM_TIMEOUT.
 */
export async function requestToken(
  options: TokenServerOptions,
  request: TokenRequest,
  budget?: Budget,
): Promise<GrantedToken> {
  try {
    const granted = await exchange(options, request, budget);
    options.onToken?.(true);
    return granted;
  } catch (error) {
    options.onToken?.(false);
    throw error;
  }
}

async function exchange(
  options: TokenServerOptions,
  request: TokenRequest,
  budget: Budget | undefined,
): Promise<GrantedToken> {
  const { url, headers, ...how } = httpRequestFor(options, request);
  const { deadlineMs: milliseconds, isFixed } = options;
  return await withDeadline(milliseconds, undefined, async (signal) => {
    const { fetch } = options;
    const sender: Sender = { fetch, ...how, signal, milliseconds, isFixed, caller: undefined, budget };
    const response = await sendWithin(sender, url, headers);
    if (response.status !== 200) throw await refusal(response, url, request.credential);
    return readGrant(
      await readAnswer(response, url, signal, () => timeoutError(milliseconds, 'GET', url, isFixed)),
      url,
    );
  });
}

/** Redirects of one token request at most. */
const maximumHops = 3;

/** Sends a request with the redirects that stay on its origin, and keep its method and its body. */
async function sendWithin(sender: Sender, start: URL, headers: SentHeaders): Promise<Response> {
  let url = start;
  for (let hops = 0; ; hops += 1) {
    const response = await send(sender, url, headers);
    // Clients make a GET of a POST at 301 to 303 (RFC 9110, sections 15.4.2 to 15.4.4), which has no form.
    const keeps = sender.method === 'GET' || response.status === 307 || response.status === 308;
    const location = response.headers.get('location') ?? '';
    if (!isRedirect(response) || !keeps || hops === maximumHops || !URL.canParse(location, url.href))
      return response;
    const next = new URL(location, url);
    if (next.origin !== start.origin || next.username !== '' || next.password !== '') return response;
    await discard(response);
    url = next;
  }
}

interface TokenHttpRequest extends Pick<Sender, 'method' | 'body'> {
  readonly url: URL;
  readonly headers: SentHeaders;
}

/** A login is sent by GET (distribution, "Token Authentication"), an identity token by POST ("OAuth2 token"). */
function httpRequestFor(
  { userAgent, upstream }: TokenServerOptions,
  request: TokenRequest,
): TokenHttpRequest {
  const { credential, service, scopes } = request;
  const common = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': userAgent };
  if (credential.kind === 'identity') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credential.token });
    form.set('client_id', request.offlineFor ?? 'regshift');
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const headers = { ...common, 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', body: form.toString(), url: realmUrl(request, upstream), headers };
  }
  const authorization = basicAuthorization(credential);
  const headers = authorization === undefined ? common : { ...common, authorization };
  return { method: 'GET', url: tokenUrl(request, upstream), headers };
}

/** An error with the reason that the server tells: a locked account, a token that has ended, a second factor. */
async function refusal(response: Response, url: URL, credential: StaticCredential): Promise<RegistryError> {
  const told = await tokenReason(response);
  const reason = quotesSecret(told, credential) ? '' : told;
  // "invalid_grant": an identity token that has ended (RFC 6749, section 5.2).
  const isEnded = response.status === 400 && credential.kind === 'identity';
  if (response.status === 401 || response.status === 403 || isEnded) {
    const advice = {
      none: 'gives no token without a login: log in',
      client: 'refused the login: check user name, password and the right to pull',
      service: "refused the proxy's own account: check its user name, password and right to pull",
      identity: "refused the proxy's own identity token: log in again, and check the right to pull",
    }[credential.kind];
    return new RegistryError(
      'UNAUTHORIZED',
      `The token server ${url.host} ${advice} (it answered ${response.status}${reason}).`,
    );
  }
  if (response.status === 429) {
    const retryAfter = response.headers.get('retry-after');
    return new RegistryError(
      'RATE_LIMITED',
      `The token server ${url.host} limits requests${reason}. Try again later.`,
      {
        headers: retryAfter === null ? {} : { 'retry-after': retryAfter },
      },
    );
  }
  if (isRedirect(response)) {
    return badResponseError(
      url,
      `answered a request for a token with a redirect (${response.status}), not followed`,
    );
  }
  return badResponseError(
    url,
    `answered a request for a token with ${response.status}, where 200 was expected${reason}`,
  );
}

/** Whether a text has the beginning of the secret of a login: a text of a server is shortened. */
function quotesSecret(text: string, credential: StaticCredential): boolean {
  const beginning = secretOf(credential).slice(0, 16);
  return beginning !== '' && text.includes(beginning);
}

function secretOf(credential: StaticCredential): string {
  if (credential.kind === 'identity') return credential.token;
  if (credential.kind === 'service') return credential.password;
  return credential.kind === 'client' ? (basicLogin(credential.authorization)?.password ?? '') : '';
}

async function readAnswer(response: Response, url: URL, signal: AbortSignal, late: () => RegistryError) {
  try {
    return await readBounded(response, answerLimit, `the token from ${url.host}`);
  } catch (error) {
    if (isDeadline(signal)) throw late();
    // UPSTREAM_CONTENT is for stored content; a token response that is too large is a wrong response.
    if (!hasCode(error, 'UPSTREAM_CONTENT')) throw error;
    throw new RegistryError('UPSTREAM_ANSWER', error.message, { cause: error });
  }
}

function readGrant(bytes: Uint8Array, url: URL): GrantedToken {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The parser's message quotes its input, which may be most of a token.
    throw badResponseError(url, 'answered a request for a token with something that is not JSON');
  }
  const fields: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  // OAuth 2 calls it access_token, Docker's first servers token; both may be there, and either may be empty.
  const value = [fields.token, fields.access_token].find(isToken);
  if (value === undefined)
    throw badResponseError(url, 'answered a request for a token without a usable token');
  const { expires_in: expiresIn, issued_at: issuedAt, refresh_token: identity, scope } = fields;
  const issued = new Date(typeof issuedAt === 'string' ? issuedAt : Number.NaN);
  return {
    value,
    expiresIn: typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn : defaultExpiry,
    issuedAt: Number.isNaN(issued.getTime()) ? undefined : issued,
    ...(typeof identity === 'string' && identity !== '' ? { identity } : {}),
    ...(typeof scope === 'string' ? { scope } : {}),
  };
}

/** Whether a header can carry the token: an error of `Headers` would quote it. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}
