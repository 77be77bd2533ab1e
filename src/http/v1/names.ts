import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { hasCode, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import { quoted } from '../quoted.ts';

/**
 * The repositories that a name in a path may mean, by upstream's names, the likeliest first. Docker asks for the
 * images of `foo` and then for the tags of `library/foo`, so a name without a namespace means both. Within a pull,
 * the name means the pulled repository.
 * @throws RegistryError NAME_INVALID; NAME_UNKNOWN for a repository that is not served.
 */
export function candidateRepositories(
  registry: Registry,
  request: ClientRequest,
  text: string,
): RepositoryName[] {
  const names = candidateNames(text);
  if (names.length === 0) throw invalid(text);
  const pulled = request.v1Context?.repository;
  const served = upstreamNames(registry, names).filter(
    (name) => registry.serves(name) && (pulled === undefined || name === pulled),
  );
  if (served.length === 0)
    throw new RegistryError('NAME_UNKNOWN', `The repository ${text} is not served here.`);
  return served;
}

/** True if a name in a path can mean the pulled repository. A session is good for that repository alone. */
export function belongsToPull(registry: Registry, { v1Context }: ClientRequest, text: string): boolean {
  return (
    v1Context === undefined || upstreamNames(registry, candidateNames(text)).includes(v1Context.repository)
  );
}

/** The client's names that a name in a path can mean. */
export function candidateNames(text: string): RepositoryName[] {
  return [text, otherName(text)].flatMap((each) => (each && parseRepositoryName(each)) || []);
}

function upstreamNames(registry: Registry, names: readonly RepositoryName[]): RepositoryName[] {
  return [
    ...new Set(names.flatMap((name) => registry.repositoryNames.toUpstream(name, undefined)?.upstream ?? [])),
  ];
}

function otherName(text: string): string | undefined {
  if (!text.includes('/')) return `library/${text}`;
  return /^library\/([^/]+)$/.exec(text)?.[1];
}

/**
 * Asks for each repository until upstream has one.
 * @throws RegistryError of the first repository if upstream has none.
 */
export async function firstExisting<Result>(
  [first, ...others]: readonly RepositoryName[],
  ask: (repository: RepositoryName) => Promise<Result>,
): Promise<Result> {
  if (first === undefined) throw new TypeError('there is no name to ask for');
  try {
    return await ask(first);
  } catch (error) {
    if (others.length === 0 || !isUnknown(error)) throw error;
    return firstExisting(others, ask).catch((other: unknown) => {
      throw isUnknown(other) ? error : other;
    });
  }
}

function isUnknown(error: unknown): boolean {
  return hasCode(error, 'NAME_UNKNOWN', 'MANIFEST_UNKNOWN');
}

function invalid(text: string): RegistryError {
  return new RegistryError(
    'NAME_INVALID',
    `${quoted(text, 300)} is not a repository name: parts of lower-case letters and digits, joined ` +
      'by ".", "_", "__" or "-", with "/" between the parts. Names that this Docker cannot ask for need a short one ' +
      'in REGSHIFT_ALIASES of the proxy.',
  );
}
