import { type Digest, isDigest } from '../../../converters/digest.ts';
import type { ClientRequest } from '../../registry/client-request.ts';

/**
 * A cookie with the digest of the stored image that a pull is about, so that another replica need not search all
 * tags. All daemons from 1.3.3 to 17.05 return cookies for the length of a pull. The cookie is a hint: the proxy
 * tries its image first, with the client's own right to it, so the cookie need not be sealed.
 */
const name = 'regshift-root';

export function rootCookie(root: Digest): Record<string, string> {
  return { 'Set-Cookie': `${name}=${root}; Path=/; HttpOnly` };
}

export function rootIn({ headers }: ClientRequest): Digest | undefined {
  const value = new RegExp(`(?:^|;)\\s*${name}=([^;\\s]+)`).exec(headers.get('cookie') ?? '')?.[1];
  return isDigest(value) ? value : undefined;
}
