import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';
import type { Aliases } from './aliases.ts';
import type { Match } from './match.ts';

/** The two names of one repository, and how a route found it. */
export interface RepositoryMapping {
  readonly client: RepositoryName;
  readonly upstream: RepositoryName;
  /** The prefix of the client's names before upstream's names, like `hub/`; "" for none. */
  readonly prefix: string;
  /** How closely the route names the repository; the highest rank takes precedence. */
  readonly rank: number;
  /** The registry that the request names in `ns`, where the route was found by it. */
  readonly ns?: string;
}

/** Translates between the names that clients and upstream use for the repositories of a route. */
export interface RepositoryNames {
  /**
   * The upstream name of the repository that a client names.
   * @param ns the registry that containerd names in its query.
   * @returns undefined if the route does not serve the repository.
   */
  toUpstream(name: RepositoryName, ns: string | undefined): RepositoryMapping | undefined;
  /** The name by which every client gets a repository: an alias if it has one; undefined if there is no name. */
  toClient(repository: RepositoryName): RepositoryName | undefined;
  readonly aliases: Aliases;
}

export interface RepositoryNamesOptions {
  readonly match: Match;
  readonly aliases: Aliases;
  /** True if upstream is Docker Hub, where a name of one part belongs to `library/`. */
  readonly library: boolean;
}

/** Ranks above the rank of any path, which is its length. */
const byAlias = 1002;
const byNs = 1001;

export function createRepositoryNames({ match, aliases, library }: RepositoryNamesOptions): RepositoryNames {
  // Not by a redirect: after one, containerd requests a token for both names.
  const full = (name: RepositoryName) =>
    library && !name.includes('/') ? (`library/${name}` as RepositoryName) : name;

  return {
    aliases,
    toUpstream(client, ns) {
      const real = aliases.realName(client);
      if (real !== client) return { client, upstream: full(real), prefix: '', rank: byAlias };
      if (ns !== undefined && match.ns.includes(ns)) {
        return { client, upstream: full(client), prefix: '', rank: byNs, ns };
      }
      const path = longest(match.paths.filter((each) => client.startsWith(`${each}/`)));
      if (path !== undefined) {
        const rest = client.slice(path.length + 1) as RepositoryName;
        return { client, upstream: full(rest), prefix: `${path}/`, rank: path.length };
      }
      return match.everything ? { client, upstream: full(client), prefix: '', rank: 0 } : undefined;
    },
    toClient(repository) {
      const alias = aliases.aliasOf(repository);
      if (alias !== undefined || match.everything) return alias ?? repository;
      const [path] = match.paths;
      return path === undefined ? undefined : parseRepositoryName(`${path}/${repository}`);
    },
  };
}

function longest(paths: readonly RepositoryName[]): RepositoryName | undefined {
  return [...paths].sort((one, other) => other.length - one.length)[0];
}

/** The client's name of a repository of the same route, with the prefix of the name in the client's request. */
export function clientName(
  mapping: RepositoryMapping | undefined,
  repository: RepositoryName,
): RepositoryName {
  if (mapping === undefined) return repository;
  if (mapping.upstream === repository) return mapping.client;
  return parseRepositoryName(`${mapping.prefix}${repository}`) ?? repository;
}

/** Replaces upstream's name of a repository in a message by the client's name. */
export function withClientNames(message: string, mapping: RepositoryMapping | undefined): string {
  if (mapping === undefined || mapping.client === mapping.upstream) return message;
  const name = mapping.upstream.replaceAll('.', '\\.');
  const asName = new RegExp(
    `(?<=\\b(?:of|in|repository|Pull) )${name}(?![\\w/-]|\\.\\w)|(?<![\\w./-])${name}(?=[@:])`,
    'g',
  );
  return message.replace(asName, mapping.client);
}

/**
 * Renames the repository in the scope of a challenge or a token: `repository:<name>:pull` (distribution, token scope).
 * @returns undefined if the repository has no other name; a scope of anything else unchanged.
 */
export function renameScope(
  scope: string,
  rename: (name: RepositoryName) => RepositoryName | undefined,
): string | undefined {
  const [, type, text = '', actions] = /^(repository(?:\([a-z0-9]+\))?):([^:]+):(.*)$/.exec(scope) ?? [];
  const name = parseRepositoryName(text);
  if (name === undefined || actions === undefined) return scope;
  const renamed = rename(name);
  return renamed && `${type}:${renamed}:${actions}`;
}
