import { LRUCache } from 'lru-cache';
import type { Background } from '../../concurrency/background.ts';
import { createSingleFlight } from '../../concurrency/single-flight.ts';
import type { Budget } from '../../request/budget.ts';
import { timeoutError } from '../network-errors.ts';
import { credentialKey } from './credential.ts';
import { createIdentities } from './refresh-tokens.ts';
import type { TokenRequest } from './token-request.ts';
import { type GrantedToken, requestToken, type TokenServerOptions } from './token-server.ts';

export interface Token {
  readonly value: string;
  /** Got for this call, so that a refusal is not the fault of its age. */
  readonly fresh: boolean;
}

export interface TokenSource {
  /** @throws RegistryError as `requestToken` does; the signal's reason when the caller gives up. */
  get(request: TokenRequest, signal?: AbortSignal, budget?: Budget): Promise<Token>;
  /** Forgets a token that upstream has refused. One that has taken its place meanwhile stays. */
  drop(request: TokenRequest, value: string): void;
}

export interface TokenSourceOptions extends Omit<TokenServerOptions, 'deadlineMs'> {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly deadlineMs?: number;
  readonly background: Background;
}

interface Kept {
  readonly value: string;
  readonly renewAt: number;
}

const defaultDeadlineMs = 10_000;

/**
 * Tokens by realm, service, scope and credential: kept while they are young, and asked for once however many
 * requests wait for the same one (a pull asks for several layers at a time).
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const server: TokenServerOptions = { ...options, deadlineMs: options.deadlineMs ?? defaultDeadlineMs };
  // Tokens of Docker Hub have 2–3 KB; of a server with larger ones fewer are kept.
  const kept = new LRUCache<string, Kept>({
    maxSize: 8 << 20,
    sizeCalculation: ({ value }, key) => value.length + key.length,
  });
  const flights = createSingleFlight<string>(server.deadlineMs, options.background);
  const identities = createIdentities();

  async function ask(key: string, request: TokenRequest, budget: Budget | undefined): Promise<string> {
    const granted = await identities.present(request, (shown) => requestToken(server, shown, budget));
    kept.set(key, { value: granted.value, renewAt: renewalTime(granted, options.clock()) });
    return granted.value;
  }

  return {
    async get(request, signal, budget) {
      const key = tokenKey(request);
      const known = kept.get(key);
      if (known !== undefined && options.clock() < known.renewAt) return { value: known.value, fresh: false };
      const late = () => timeoutError(server.deadlineMs, 'GET', new URL(request.realm));
      return {
        value: await flights.join({ key, start: () => ask(key, request, budget), late }, signal),
        fresh: true,
      };
    },
    drop(request, value) {
      const key = tokenKey(request);
      if (kept.peek(key)?.value === value) kept.delete(key);
    },
  };
}

function tokenKey({ realm, service, scopes, credential }: TokenRequest): string {
  return JSON.stringify([realm, service ?? null, scopes, credentialKey(credential)]);
}

/**
 * At 80 % of the token's life or 10 s before its end, whichever is earlier. The life counts from `issued_at` where
 * that lies in the past (a server may hand out a token it has kept), and never from later than now: two clocks
 * seldom agree. Nor does it count from then where the token would be over already: nobody hands out such a one, so
 * the server's clock is behind, and each request would get a token of its own.
 */
function renewalTime(granted: GrantedToken, now: number): number {
  const life = granted.expiresIn * 1000;
  const issued = Math.min(granted.issuedAt ?? now, now);
  const start = issued + life <= now ? now : issued;
  return start + Math.min(life * 0.8, life - 10_000);
}
