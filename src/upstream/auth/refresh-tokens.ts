import type { MemoryBudget } from '../../cache/memory-budget.ts';
import { RegistryError } from '../../errors.ts';
import { credentialKey } from './credential.ts';
import type { TokenRequest } from './token-request.ts';
import type { GrantedToken } from './token-server.ts';

/** The newest identity tokens of token servers that send another one with each access token. */
export interface RefreshTokens {
  /**
   * Sends a token request with the newest identity token; with the configured one where the server refuses that.
   * @throws as `send`.
   */
  withNewest<Granted extends GrantedToken>(
    request: TokenRequest,
    send: (request: TokenRequest) => Promise<Granted>,
  ): Promise<Granted>;
}

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
      const keep = <Granted extends GrantedToken>(granted: Granted) => {
        if (granted.identity !== undefined) newest.set(key, granted.identity);
        return granted;
      };
      const token = newest.get(key);
      if (token === undefined) return keep(await send(request));
      try {
        return keep(await send({ ...request, credential: { kind: 'identity', token } }));
      } catch (error) {
        if (!(error instanceof RegistryError) || error.code !== 'UNAUTHORIZED') throw error;
        newest.delete(key);
        return keep(await send(request));
      }
    },
  };
}
