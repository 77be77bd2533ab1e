import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import type { Caller } from '../upstream/request-context.ts';
import type { Resolved } from '../upstream/resolution.ts';
import type { Resolver } from './resolver.ts';

/**
 * Proves the caller's right to the manifest that something was made from. The client has named what was made, which
 * anyone can know; which digest is behind it is for clients with the right. So a refusal names what the client has
 * named.
 * @param asked the digest or id that the client has named.
 * @throws as `Resolver.resolve`.
 */
export async function resolveRoot(
  resolver: Resolver,
  repository: RepositoryName,
  root: Digest,
  asked: string,
  caller: Caller,
): Promise<Resolved> {
  try {
    return await resolver.resolve(repository, { kind: 'digest', digest: root }, caller);
  } catch (error) {
    throw error instanceof Failure ? withoutRoot(error, root, asked) : error;
  }
}

function withoutRoot(
  { code, message, cause, headers, detail }: Failure,
  root: Digest,
  asked: string,
): Failure {
  const told = message.replaceAll(root, `behind ${asked}`);
  return new Failure(code, told, { cause, headers, ...(detail ? { detail } : {}) });
}
