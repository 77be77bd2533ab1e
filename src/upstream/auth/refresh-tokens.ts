import type { MemoryBudget } from '../../cache/memory-budget.ts';
import { hasCode } from '../../errors.ts';
import { credentialKey } from './credential.ts';
import type { TokenRequest } from './token-request.ts';
import type { GrantedToken } from './token-server.ts';

/** The newest identity tokens of token servers that send another one with each access token. */
export interface RefreshTokens {
  /**
   * Sends a token request with the newest identity token; with the configured one where the server refuses that, and
   * with a newer one where another request has got it meanwhile.
   * @throws as `send`.
   */
  withNewest<Granted extends GrantedToken>(
    request: TokenRequest,
    send: (request: TokenRequest) => Promise<Granted>,
  ): Promise<Granted>;
}

/** Requests at the same moment spend the same token, and only one of them wins each time. */
const mostAttempts = 5;

/**
 * "the client MUST discard the old refresh token and replace it with the new refresh token" (RFC 6749 §6). The newest
 * one lives as long as the process; after a restart, the configured one must still be valid.
 */
export function createRefreshTokens(memory: MemoryBudget): RefreshTokens {
  const newest = memory.table<string>('tokens');
  return {
    async withNewest(request, send) {
      const { realm, service, credential } = request;
      if (credential.kind !== 'identity') return send(request);
      const key = JSON.stringify([realm, service ?? null, credentialKey(credential)]);
      let token = newest.get(key) ?? credential.token;
      for (let attempt = 1; ; attempt += 1) {
        try {
          const granted = await send({ ...request, credential: { kind: 'identity', token } });
          if (granted.identity !== undefined) newest.set(key, granted.identity);
          return granted;
        } catch (error) {
          const isRefused = hasCode(error, 'UNAUTHORIZED');
          if (!isRefused || attempt === mostAttempts) throw error;
          // Another request may have spent the token meanwhile, and got a newer one.
          if (newest.get(key) === token) newest.delete(key);
          const next = newest.get(key) ?? credential.token;
          if (next === token) throw error;
          token = next;
        }
      }
    },
  };
}
