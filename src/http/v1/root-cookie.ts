import { type Digest, isDigest } from '../../../converters/digest.ts';
import type { ClientRequest } from '../../registry/client-request.ts';

/**
 * Which stored image a pull is about, so that a replica that knows nothing of it need not look through all tags. All
 * daemons from 1.3.3 to 17.05 bring cookies back for as long as a pull lasts; none has to, and what one says is only
 * tried first, with the client's own right to it. So it is not sealed.
 */
const name = 'regshift-root';

export function rootCookie(root: Digest): Record<string, string> {
  return { 'Set-Cookie': `${name}=${root}; Path=/; HttpOnly` };
}

export function rootIn({ headers }: ClientRequest): Digest | undefined {
  const value = new RegExp(`(?:^|;)\\s*${name}=([^;\\s]+)`).exec(headers.get('cookie') ?? '')?.[1];
  return isDigest(value) ? value : undefined;
}
