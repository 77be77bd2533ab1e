import { sha256 } from '@noble/hashes/sha2.js';
import { bearerOrPassword } from '../upstream/auth/basic.ts';

/**
 * Headers of a secret alone: one for servers in front of the proxy that use `Authorization` for themselves, and that of
 * JFrog Artifactory (JFrog, "Webhooks", Secret Token).
 */
const secretHeaders = ['regshift-events-secret', 'x-jfrog-event-auth'];

/** Tells whether a request has the secret. */
export type HasSecret = (headers: Headers) => boolean;

/**
 * Creates the check of a secret that another program sends: as a Bearer token, as the password of a Basic login with any
 * user name, as the whole value of `Authorization`, or in a header of its own. Its time does not depend on how
 * much of a guess is right.
 */
export function createSharedSecret(secret: string): HasSecret {
  const expected = hashOf(secret);
  return (headers) => sentSecrets(headers).some((sent) => isEqual(hashOf(sent), expected));
}

function sentSecrets(headers: Headers): string[] {
  const authorization = headers.get('authorization');
  const own = secretHeaders.map((name) => headers.get(name)?.trim());
  const all = [bearerOrPassword(authorization) ?? authorization?.trim(), ...own];
  return all.filter((each) => each !== undefined);
}

function hashOf(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text));
}

/** Compares two hashes of equal length in constant time. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = 0;
  for (const [at, byte] of one.entries()) difference |= byte ^ (other[at] ?? 0);
  return difference === 0;
}
