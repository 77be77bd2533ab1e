import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';

/** The content of the token that a client sends as `Authorization: Token …`. */
export interface V1Token {
  /** The repository by its upstream name; the token is valid for no other. */
  readonly repository: RepositoryName;
  /** The client's own Authorization value. Over plain HTTP a client sends it only with its first request. */
  readonly authorization: string | undefined;
}

/**
 * The lifetime of a token. A pull over a slow line takes hours; Docker 1.6 to 1.9 ask for a password if a token
 * expires.
 */
const lifeSeconds = 24 * 60 * 60;

const algorithms = {
  keyManagementAlgorithms: ['dir'],
  contentEncryptionAlgorithms: ['A256GCM'],
};

/** @param route the id of the route that the key belongs to. */
export async function sealToken(token: V1Token, key: Uint8Array, route: string, now: Date): Promise<string> {
  const { repository, authorization } = token;
  const issued = Math.floor(now.getTime() / 1000);
  return new EncryptJWT({ repository, ...(authorization ? { authorization } : {}) })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: route })
    .setIssuedAt(issued)
    .setExpirationTime(issued + lifeSeconds)
    .encrypt(key);
}

/** @returns undefined for text that was not sealed with this key, or that is too old. */
export async function openToken(sealed: string, key: Uint8Array, now: Date): Promise<V1Token | undefined> {
  try {
    const rules = { ...algorithms, currentDate: now, requiredClaims: ['exp'] };
    const { payload } = await jwtDecrypt(sealed, key, rules);
    const repository = parseRepositoryName(String(payload.repository));
    const { authorization } = payload;
    return (
      repository && {
        repository,
        authorization: authorization === undefined ? undefined : String(authorization),
      }
    );
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
