import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Resolution } from '../upstream/resolution.ts';
import type { Resolver } from './resolver.ts';

/**
 * Proves the right to the manifest that derived content was made from. The client named a derived digest or an id,
 * which it may know without any right. The root's digest is for clients with the right, so an error does not name it.
 * @param name the digest or id that the client named.
 * @throws RegistryError as `Resolver.resolve`.
 */
export async function resolveRoot(
  resolver: Pick<Resolver, 'resolve'>,
  repository: RepositoryName,
  root: Digest,
  name: string,
  context: RequestContext,
): Promise<Resolution> {
  try {
    return await resolver.resolve(repository, { kind: 'digest', digest: root }, context);
  } catch (error) {
    throw error instanceof RegistryError ? withoutRoot(error, root, name) : error;
  }
}

function withoutRoot(
  { code, message, cause, headers, detail }: RegistryError,
  root: Digest,
  name: string,
): RegistryError {
  const text = message.replaceAll(root, `behind ${name}`);
  return new RegistryError(code, text, { cause, headers, ...(detail ? { detail } : {}) });
}
