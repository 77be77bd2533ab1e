import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Resolution } from '../upstream/resolution.ts';
import type { Resolver } from './resolver.ts';

/**
 * Proves the caller's right to the manifest that something was made from. The client has named what was made, which
 * anyone can know; which digest is behind it is for clients with the right. So a refusal names what the client has
 * named.
 * @param asked the digest or id that the client has named.
 * @throws as `Resolver.resolve`.
 */
export async function resolveRoot(
  resolver: Pick<Resolver, 'resolve'>,
  repository: RepositoryName,
  root: Digest,
  asked: string,
  context: RequestContext,
): Promise<Resolution> {
  try {
    return await resolver.resolve(repository, { kind: 'digest', digest: root }, context);
  } catch (error) {
    throw error instanceof RegistryError ? withoutRoot(error, root, asked) : error;
  }
}

function withoutRoot(
  { code, message, cause, headers, detail }: RegistryError,
  root: Digest,
  asked: string,
): RegistryError {
  const told = message.replaceAll(root, `behind ${asked}`);
  return new RegistryError(code, told, { cause, headers, ...(detail ? { detail } : {}) });
}
