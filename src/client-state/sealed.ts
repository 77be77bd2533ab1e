import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose';

/** The lifetime of sealed state: a pull or an upload over a slow line takes hours. */
const lifeSeconds = 24 * 60 * 60;

const algorithms = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };

/**
 * Encrypts state that a client carries and cannot read or change.
 * @param route the id of the route that the key belongs to, which anyone may read.
 */
export function seal(
  state: Readonly<Record<string, string>>,
  key: Uint8Array,
  now: Date,
  route?: string,
): Promise<string> {
  const issued = Math.floor(now.getTime() / 1000);
  return new EncryptJWT(state)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...(route === undefined ? {} : { kid: route }) })
    .setIssuedAt(issued)
    .setExpirationTime(issued + lifeSeconds)
    .encrypt(key);
}

/** @returns undefined for text that was not sealed with this key, or that is too old. */
export async function openSealed(text: string, key: Uint8Array, now: Date): Promise<JWTPayload | undefined> {
  try {
    const rules = { ...algorithms, currentDate: now, requiredClaims: ['exp'] };
    return (await jwtDecrypt(text, key, rules)).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
