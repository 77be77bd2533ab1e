import type { MemoryBudget } from '../../cache/memory-budget.ts';
import { bytesOfValue } from '../../cache/memory-bytes.ts';
import type { Clock, WallClock } from '../../clock.ts';
import type { Background } from '../../concurrency/background.ts';
import { createSingleFlight } from '../../concurrency/single-flight.ts';
import type { Budget } from '../../request/budget.ts';
import { timeoutError } from '../network-errors.ts';
import { credentialKey } from './credential.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import type { TokenRequest } from './token-request.ts';
import { type GrantedToken, requestToken, type TokenServerOptions } from './token-server.ts';

export interface Token {
  readonly value: string;
  /** Requested for this call, so that a refusal is not due to its age. */
  readonly fresh: boolean;
}

export interface TokenCache {
  /** @throws RegistryError as `requestToken` does; the signal's reason when it is aborted. */
  get(request: TokenRequest, signal?: AbortSignal, budget?: Budget): Promise<Token>;
  /** Forgets a token that upstream has refused. A newer one that has replaced it stays. */
  drop(request: TokenRequest, value: string): void;
}

export interface TokenCacheOptions extends Omit<TokenServerOptions, 'deadlineMs' | 'isFixed'> {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly deadlineMs?: number;
  readonly background: Background;
  readonly memory: MemoryBudget;
}

interface CachedToken {
  readonly value: string;
  /** By the clock. */
  readonly renewAt: number;
  /** Stops the timer that removes it. */
  readonly stopTimer: () => void;
}

/** Bytes of a timer with its functions, measured in Node 24.18 as the growth of the heap with 50,000 tokens. */
const timerBytes = 768;

function bytesOfToken(token: CachedToken): number {
  return bytesOfValue(token) + timerBytes;
}

const defaultDeadlineMs = 10_000;

/** The longest time that a token is cached: it gives a client's access, and some servers' tokens live for years. */
const longestLifeMs = 3_600_000;

/**
 * Tokens by realm, service, scope and credential. They are cached until shortly before they expire, and requested once
 * however many requests wait for the same one (a pull gets several layers at a time). A timer then removes them from
 * memory. A Worker's timers end with their request, so there a token stays until its next use or until others need the
 * space.
 */
export function createTokenCache(options: TokenCacheOptions): TokenCache {
  const isFixed = options.deadlineMs === undefined;
  const server: TokenServerOptions = {
    ...options,
    deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    isFixed,
  };
  // Tokens of Docker Hub have 2–3 KB.
  const cached = options.memory.table<CachedToken>('tokens', bytesOfToken, ({ stopTimer }) => stopTimer());
  const flights = createSingleFlight<string>(server.deadlineMs, options.background);
  const refreshTokens = createRefreshTokens(options.memory);

  async function requestNew(key: string, request: TokenRequest, budget: Budget | undefined): Promise<string> {
    const granted = await refreshTokens.withNewest(request, async (newest) => {
      const [sentAt, sentDate] = [options.clock(), options.wallClock()];
      return { ...(await requestToken(server, newest, budget)), sentAt, sentDate };
    });
    const life = Math.min(timeToRenewal(granted, granted.sentDate), longestLifeMs);
    const renewAt = granted.sentAt + life;
    const left = renewAt - options.clock();
    if (left > 0) remember(key, { value: granted.value, renewAt }, left);
    return granted.value;
  }

  /** A token that goes earlier, to make room for others, takes its timer along, which holds the token. */
  function remember(key: string, token: Omit<CachedToken, 'stopTimer'>, lifeMs: number): void {
    let stopTimer = () => {};
    const own: CachedToken = { ...token, stopTimer: () => stopTimer() };
    cached.peek(key)?.stopTimer();
    cached.set(key, own);
    if (cached.peek(key) !== own) return;
    const forget = () => {
      if (cached.peek(key) === own) cached.delete(key);
    };
    const timer = setTimeout(forget, lifeMs);
    stopTimer = () => clearTimeout(timer);
    // Node's timer would keep the process running; a Worker's has no `unref`.
    if (hasUnref(timer)) timer.unref();
  }

  return {
    async get(request, signal, budget) {
      const key = tokenKey(request);
      const known = cached.get(key);
      if (known !== undefined && options.clock() < known.renewAt) return { value: known.value, fresh: false };
      const late = () => timeoutError(server.deadlineMs, 'GET', new URL(request.realm), isFixed);
      return {
        value: await flights.join({ key, start: () => requestNew(key, request, budget), late }, signal),
        fresh: true,
      };
    },
    drop(request, value) {
      const key = tokenKey(request);
      if (cached.peek(key)?.value === value) cached.delete(key);
    },
  };
}

function hasUnref(timer: object | number): timer is { unref(): void } {
  return typeof timer === 'object' && 'unref' in timer;
}

function tokenKey({ realm, service, scopes, credential }: TokenRequest): string {
  return JSON.stringify([realm, service ?? null, scopes, credentialKey(credential)]);
}

/**
 * Milliseconds from the request for a token to its renewal: at 80 % of its life or 10 s before its end, whichever is
 * earlier. The life counts from `issued_at` if that lies before the request (a server may send a token that it has
 * cached), and never from later than the request: two clocks seldom agree. It also counts from the request if the token
 * would have expired before it. No server sends such a token, so the server's clock is behind, and each request would
 * otherwise request a token.
 */
function timeToRenewal({ expiresIn, issuedAt }: GrantedToken, sentDate: Date): number {
  const life = expiresIn * 1000;
  const age = Math.max(0, sentDate.getTime() - (issuedAt ?? sentDate).getTime());
  return Math.min(life * 0.8, life - 10_000) - (age < life ? age : 0);
}
