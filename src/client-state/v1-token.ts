import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';

/** What a client brings back as `Authorization: Token …`. */
export interface V1Token {
  /** As upstream calls it; a token is good for this one alone. */
  readonly repository: RepositoryName;
  /** The client's own Authorization value: over plain HTTP it sends that with its first request and never again. */
  readonly authorization: string | undefined;
}

/** A pull over a slow line takes hours, and Docker 1.6 to 1.9 ask for a password in the middle when a token ends. */
const lifeSeconds = 24 * 60 * 60;

const algorithms = {
  keyManagementAlgorithms: ['dir'],
  contentEncryptionAlgorithms: ['A256GCM'],
};

/** @param route whose key it is. @param now milliseconds since the epoch. */
export async function sealToken(
  token: V1Token,
  key: Uint8Array,
  route: string,
  now: number,
): Promise<string> {
  const { repository, authorization } = token;
  const issued = Math.floor(now / 1000);
  return new EncryptJWT({ repository, ...(authorization ? { authorization } : {}) })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: route })
    .setIssuedAt(issued)
    .setExpirationTime(issued + lifeSeconds)
    .encrypt(key);
}

/** @returns undefined for what was not sealed with this key, or is too old. */
export async function openToken(sealed: string, key: Uint8Array, now: number): Promise<V1Token | undefined> {
  try {
    const rules = { ...algorithms, currentDate: new Date(now), requiredClaims: ['exp'] };
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
