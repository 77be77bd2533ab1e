import type { Digest } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { RegistryError } from '../errors.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Resolution } from '../upstream/resolution.ts';
import type { Resolver } from './resolver.ts';

/**
 * Proves the right to the manifest that derived content was made from. The client named a derived digest or an id,
 * which it may know without any right. The root's digest is for clients with the right, so an error does not name it. A
 * refusal has the words of one for content that upstream stores: others would tell that regshift has made it.
 * @param what the content that the client named, like `blob sha256:…`.
 * @throws RegistryError as `Resolver.resolve`.
 */
export async function resolveRoot(
  resolver: Pick<Resolver, 'resolve'>,
  repository: RepositoryName,
  root: Digest,
  what: string,
  context: RequestContext,
): Promise<Resolution> {
  try {
    return await resolver.resolve(repository, { kind: 'digest', digest: root }, context, 'to read');
  } catch (error) {
    throw error instanceof RegistryError ? withoutRoot(error, root, what) : error;
  }
}

function withoutRoot(
  { code, message, cause, headers, detail }: RegistryError,
  root: Digest,
  what: string,
): RegistryError {
  const text = message.replaceAll(`manifest ${root}`, what).replaceAll(root, what);
  return new RegistryError(code, text, { cause, headers, detail });
}
