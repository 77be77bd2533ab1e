import type { Clock, WallClock } from '../../clock.ts';
import { isDeadline, withDeadline } from '../../concurrency/deadline.ts';
import { RegistryError } from '../../errors.ts';
import { readBounded } from '../../upstream/body.ts';
import { timeoutError } from '../../upstream/network-errors.ts';
import { type Fetch, send } from '../../upstream/send.ts';

/** The parts of the program that a login of a cloud uses. */
export interface CloudParts {
  /** Has no rule for addresses: the operator or the cloud names the servers, never a registry. */
  readonly fetch: Fetch;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly wallClock: WallClock;
}

export interface CloudRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The response of a login server, whatever its status. */
export interface CloudResponse {
  readonly status: number;
  readonly text: string;
  /** The members of a JSON object; empty for any other text. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Seconds by which the server's clock is ahead of this machine's; undefined if it states no date. */
  readonly aheadSeconds: number | undefined;
}

const answerLimit = 65_536;
const deadlineMs = 10_000;

/**
 * Sends a request for a login. A redirect is not followed: it would carry a secret to a server that the operator did
 * not name.
 * @throws RegistryError UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, or MISCONFIGURED for a body that cannot be read.
 */
export function requestLogin(
  { fetch, userAgent, wallClock }: CloudParts,
  { url, method, headers, body }: CloudRequest,
): Promise<CloudResponse> {
  return withDeadline(deadlineMs, undefined, async (signal) => {
    const common = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': userAgent };
    const limit = { signal, milliseconds: deadlineMs, isFixed: true };
    const sender = { fetch, method, ...limit, caller: undefined, budget: undefined };
    const sent = { ...sender, ...(body === undefined ? {} : { body }) };
    const response = await send(sent, url, { ...common, ...headers });
    const date = Date.parse(response.headers.get('date') ?? '');
    const bytes = await readBounded(response, answerLimit, 'a login', deadlineMs).catch((error: unknown) => {
      if (isDeadline(signal)) throw timeoutError(deadlineMs, method, url, true);
      const why = error instanceof RegistryError ? ` (${error.code})` : '';
      throw noLogin(`the answer of ${url.host} cannot be read${why}`, 'try again');
    });
    const text = new TextDecoder().decode(bytes);
    return {
      status: response.status,
      text,
      fields: fieldsOf(text),
      aheadSeconds: Number.isNaN(date) ? undefined : Math.round((date - wallClock().getTime()) / 1000),
    };
  });
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * The error of a login that a cloud does not give.
 * @param found what happened, in words that contain no secret.
 * @param advice what to do about it.
 */
export function noLogin(found: string, advice: string): RegistryError {
  return new RegistryError('MISCONFIGURED', `The login for upstream is not available: ${found}. ${advice}.`);
}

/** Clouds refuse requests whose date differs by five minutes (AWS, "Signature Version 4", Google, "exp" and "iat"). */
const mostSkewSeconds = 300;

/**
 * The error of a refusal.
 * @param code the cloud's own word for it, like `AccessDeniedException`. Other text is not quoted.
 * @param advice what to do about this code.
 */
export function refusedLogin(
  url: URL,
  response: CloudResponse,
  code: unknown,
  advice: string,
): RegistryError {
  const { status, aheadSeconds = 0 } = response;
  const word = typeof code === 'string' && /^[A-Za-z_.-]{3,80}$/.test(code) ? ` ${code}` : '';
  const found = `${url.host} answered ${status}${word}`;
  if (Math.abs(aheadSeconds) < mostSkewSeconds) return noLogin(found, advice);
  const skew = `${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? 'behind' : 'ahead of'}`;
  return noLogin(`${found}, and the clock of this machine is ${skew} the clock there`, 'Set the clock right');
}

/** A text of a response that a header can carry; undefined for any other value. */
export function secretOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/**
 * Milliseconds from a response to a moment that it states, by the clock of its server.
 * @param moment in milliseconds since the epoch; NaN if it states none.
 */
export function lifeUntil(
  moment: number,
  { aheadSeconds = 0 }: CloudResponse,
  wallClock: WallClock,
): number | undefined {
  if (!Number.isFinite(moment)) return undefined;
  return Math.max(0, moment - wallClock().getTime() - aheadSeconds * 1000);
}
