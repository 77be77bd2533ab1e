import { LRUCache } from 'lru-cache';
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

export interface TokenCacheOptions extends Omit<TokenServerOptions, 'deadlineMs'> {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly deadlineMs?: number;
  readonly background: Background;
}

interface CachedToken {
  readonly value: string;
  /** By the clock. */
  readonly renewAt: number;
}

const defaultDeadlineMs = 10_000;

/**
 * Tokens by realm, service, scope and credential. They are cached until shortly before they expire, and requested once
 * however many requests wait for the same one (a pull gets several layers at a time).
 */
export function createTokenCache(options: TokenCacheOptions): TokenCache {
  const server: TokenServerOptions = { ...options, deadlineMs: options.deadlineMs ?? defaultDeadlineMs };
  // Tokens of Docker Hub have 2–3 KB; of larger ones, fewer fit.
  const cached = new LRUCache<string, CachedToken>({
    maxSize: 8 << 20,
    sizeCalculation: ({ value }, key) => value.length + key.length,
  });
  const flights = createSingleFlight<string>(server.deadlineMs, options.background);
  const refreshTokens = createRefreshTokens();

  async function requestNew(key: string, request: TokenRequest, budget: Budget | undefined): Promise<string> {
    const granted = await refreshTokens.withNewest(request, async (newest) => {
      const [sentAt, sentDate] = [options.clock(), options.wallClock()];
      return { ...(await requestToken(server, newest, budget)), sentAt, sentDate };
    });
    cached.set(key, {
      value: granted.value,
      renewAt: granted.sentAt + timeToRenewal(granted, granted.sentDate),
    });
    return granted.value;
  }

  return {
    async get(request, signal, budget) {
      const key = tokenKey(request);
      const known = cached.get(key);
      if (known !== undefined && options.clock() < known.renewAt) return { value: known.value, fresh: false };
      const late = () => timeoutError(server.deadlineMs, 'GET', new URL(request.realm));
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
