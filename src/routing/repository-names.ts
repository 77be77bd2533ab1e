import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';
import type { Aliases } from './aliases.ts';
import type { Match } from './match.ts';

/** One repository by both of its names. */
export interface RepositoryMapping {
  readonly client: RepositoryName;
  readonly upstream: RepositoryName;
  /** What the client's names have before upstream's, like `hub/`; "" for nothing. */
  readonly prefix: string;
  /** How closely the route names what was asked for; the closest goes first. */
  readonly rank: number;
}

/** How the repositories of a route are called by its clients, and how by upstream. */
export interface RepositoryNames {
  /**
   * What upstream calls what a client asks for.
   * @param ns as containerd names the registry that it wants.
   * @returns undefined where the route is not for it.
   */
  toUpstream(name: RepositoryName, ns: string | undefined): RepositoryMapping | undefined;
  /** A name by which every client gets a repository, an alias before all; undefined where there is none. */
  toClient(repository: RepositoryName): RepositoryName | undefined;
  readonly aliases: Aliases;
}

export interface RepositoryNamesOptions {
  readonly match: Match;
  readonly aliases: Aliases;
  /** Upstream is Docker Hub: a name of one part is one of `library/`. */
  readonly library: boolean;
}

/** Above the length of any name. */
const byAlias = 1002;
const byNs = 1001;

export function createRepositoryNames({ match, aliases, library }: RepositoryNamesOptions): RepositoryNames {
  // Never by a redirect: containerd would ask for a token of both names after it.
  const full = (name: RepositoryName) =>
    library && !name.includes('/') ? (`library/${name}` as RepositoryName) : name;

  return {
    aliases,
    toUpstream(client, ns) {
      const real = aliases.realName(client);
      if (real !== client) return { client, upstream: full(real), prefix: '', rank: byAlias };
      if (ns !== undefined && match.ns.includes(ns)) {
        return { client, upstream: full(client), prefix: '', rank: byNs };
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

/** What a client that asks by one name is told another repository of the same route is called. */
export function clientName(
  mapping: RepositoryMapping | undefined,
  repository: RepositoryName,
): RepositoryName {
  if (mapping === undefined) return repository;
  if (mapping.upstream === repository) return mapping.client;
  return parseRepositoryName(`${mapping.prefix}${repository}`) ?? repository;
}

/** Puts the client's name of a repository into a message that has upstream's, wherever it stands as a name. */
export function withClientNames(message: string, mapping: RepositoryMapping | undefined): string {
  if (mapping === undefined || mapping.client === mapping.upstream) return message;
  const name = mapping.upstream.replaceAll('.', '\\.');
  const asName = new RegExp(
    `(?<=\\b(?:of|in|repository|Pull) )${name}(?![\\w/-]|\\.\\w)|(?<![\\w./-])${name}(?=[@:])`,
    'g',
  );
  return message.replace(asName, mapping.client);
}

/** The same in the scope of a challenge or a token: `repository:<name>:pull` (distribution, token scope). */
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
