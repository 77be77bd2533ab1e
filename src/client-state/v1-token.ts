import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';
import { openSealed, seal } from './sealed.ts';

/** The content of the token that a client sends as `Authorization: Token …`. */
export interface V1Token {
  /** The repository by its upstream name; the token is valid for no other. */
  readonly repository: RepositoryName;
  /** The client's own Authorization value. Over plain HTTP a client sends it only with its first request. */
  readonly authorization: string | undefined;
}

/** @param route the id of the route that the key belongs to. */
export function sealToken(token: V1Token, key: Uint8Array, route: string, now: Date): Promise<string> {
  const { repository, authorization } = token;
  return seal({ repository, ...(authorization ? { authorization } : {}) }, key, now, route);
}

/**
 * Docker 1.6 to 1.9 ask for a password if a token expires.
 * @returns undefined for text that was not sealed with this key, or that is too old.
 */
export async function openToken(sealed: string, key: Uint8Array, now: Date): Promise<V1Token | undefined> {
  const state = await openSealed(sealed, key, now);
  if (state === undefined) return undefined;
  const repository = parseRepositoryName(String(state.repository));
  const { authorization } = state;
  return (
    repository && {
      repository,
      authorization: authorization === undefined ? undefined : String(authorization),
    }
  );
}
