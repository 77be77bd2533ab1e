import { credentialKey } from '../upstream/auth/credential.ts';

/**
 * A login as a `Requester` has it. A registry's token is another one for each repository and each few minutes: its
 * subject stays the same, and is empty where the token server gave it to a client without a login. The token is not
 * verified here: it counts for a share within one address and opens nothing.
 */
export function requesterLogin(headers: Headers): string {
  const authorization = headers.get('authorization');
  if (authorization === null) return '';
  const [, payload] = /^bearer\s+[\w-]+\.([\w-]+)\.[\w-]*\s*$/i.exec(authorization) ?? [];
  const subject = payload === undefined ? authorization : subjectOf(payload);
  return subject === '' ? '' : credentialKey({ kind: 'client', authorization: subject });
}

/** @param payload of a JWT (RFC 7519), as base64url. @returns the payload itself where it is no JSON. */
function subjectOf(payload: string): string {
  try {
    const { sub } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return payload;
  }
}
