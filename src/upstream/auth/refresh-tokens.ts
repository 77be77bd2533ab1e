import { createLru } from '../../cache/lru.ts';
import { RegistryError } from '../../errors.ts';
import { credentialKey } from './credential.ts';
import type { TokenRequest } from './token-request.ts';
import type { GrantedToken } from './token-server.ts';

/** The newest identity tokens, where a token server gives another one with each access token. */
export interface Identities {
  /**
   * Asks with the newest one.
   * @throws as `ask`; where the newest is refused, what is configured is tried once more.
   */
  present(
    request: TokenRequest,
    ask: (request: TokenRequest) => Promise<GrantedToken>,
  ): Promise<GrantedToken>;
}

/**
 * "the client MUST discard the old refresh token and replace it with the new refresh token" (RFC 6749 §6). It lives as
 * long as the process; after a restart, what is configured must still be good.
 */
export function createIdentities(): Identities {
  const newest = createLru<string, string>(1000);
  return {
    async present(request, ask) {
      const { realm, service, credential } = request;
      if (credential.kind !== 'identity') return ask(request);
      const key = JSON.stringify([realm, service ?? null, credentialKey(credential)]);
      const keep = (granted: GrantedToken) => {
        if (granted.identity !== undefined) newest.set(key, granted.identity);
        return granted;
      };
      const token = newest.get(key);
      if (token === undefined) return keep(await ask(request));
      try {
        return keep(await ask({ ...request, credential: { kind: 'identity', token } }));
      } catch (error) {
        if (!(error instanceof RegistryError) || error.code !== 'UNAUTHORIZED') throw error;
        newest.delete(key);
        return keep(await ask(request));
      }
    },
  };
}
