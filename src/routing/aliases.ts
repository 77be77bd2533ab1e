import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';
import { listedParts } from '../listed-parts.ts';

/** Alternative names of repositories. Docker up to 1.7 supports names of at most two parts, Docker 1.5 even fewer. */
export interface Aliases {
  /** The upstream name of a repository that a client names; the same name if it is not an alias. */
  realName(name: RepositoryName): RepositoryName;
  /** The alias of a repository; undefined if it has none. */
  aliasOf(repository: RepositoryName): RepositoryName | undefined;
  /** All aliases. */
  readonly all: readonly RepositoryName[];
}

export const noAliases: Aliases = { realName: (name) => name, aliasOf: () => undefined, all: [] };

/**
 * Parses pairs like `tools/build=team/tools/build-image`, with commas or white space between them.
 * @returns the aliases, or a problem for each wrong pair.
 */
export function parseAliases(text: string): Aliases | { readonly problems: readonly string[] } {
  const pairs = listedParts(text);
  const real = new Map<RepositoryName, RepositoryName>();
  const problems: string[] = [];
  for (const pair of pairs) {
    const [alias, name, ...rest] = pair.split('=').map(parseRepositoryName);
    if (alias === undefined || name === undefined || rest.length > 0) {
      problems.push(`${JSON.stringify(pair)} is not two repository names with = between them`);
    } else if (real.has(alias)) problems.push(`${JSON.stringify(alias)} is there twice`);
    else real.set(alias, name);
  }
  for (const name of real.values()) {
    if (real.has(name)) problems.push(`${JSON.stringify(name)} is itself an alias`);
  }
  if (pairs.length === 0) problems.push('there is no pair in it');
  if (problems.length > 0) return { problems };
  const alias = new Map([...real].map(([short, long]) => [long, short]));
  return {
    realName: (name) => real.get(name) ?? name,
    aliasOf: (repository) => alias.get(repository),
    all: [...real.keys()],
  };
}
