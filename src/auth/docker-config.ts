import * as z from 'zod/mini';
import type { RepositoryName } from '../../converters/reference.ts';
import { type BasicLogin, decodeLogin } from '../upstream/auth/basic.ts';
import type { StaticCredential } from '../upstream/auth/credential.ts';

/** The part of `~/.docker/config.json` (and of podman's auth.json) that holds logins. */
const schema = z.object({
  auths: z._default(
    z.record(
      z.string(),
      z.object({
        /**
         * The base64 of `user:password`. Without it, Docker takes `username` and `password`, which secrets of Kubernetes
         * often have alone (docker/cli, cli/config/configfile/file.go, LoadFromReader).
         */
        auth: z.optional(z.string()),
        username: z.optional(z.string()),
        password: z.optional(z.string()),
        identitytoken: z.optional(z.string()),
      }),
    ),
    {},
  ),
  credHelpers: z._default(z.record(z.string(), z.string()), {}),
  credsStore: z.optional(z.string()),
});

export type DockerConfig = z.output<typeof schema>;

/**
 * A member that is null counts as absent, as in Docker, which is written in Go (encoding/json, Unmarshal).
 * @returns undefined for text that is not a Docker configuration, without a reason: it would quote passwords.
 */
export function parseDockerConfig(text: string): DockerConfig | undefined {
  try {
    return schema.safeParse(JSON.parse(text, (_, value) => value ?? undefined)).data;
  } catch {
    return undefined;
  }
}

/** The login of a registry, the helper that stores it, or the reason why there is none. */
export type FoundLogin =
  | { readonly credential: StaticCredential }
  | { readonly helper: HelperQuestion }
  /** The rest of the sentence `REGSHIFT_DOCKER_CONFIG is …: it …`. */
  | { readonly problem: string };

/** A program that stores logins, and the server under whose name it stores this one. */
export interface HelperQuestion {
  /** Like `docker-credential-ecr-login`. */
  readonly program: string;
  readonly server: string;
}

/**
 * Finds the login for a registry. A helper takes precedence over an entry, as in Docker.
 * @param repository the repository that alone gets the login; absent for a login for every repository of the registry.
 */
export function loginFor(config: DockerConfig, upstream: URL, repository?: RepositoryName): FoundLogin {
  const hosts = hostsOf(upstream);
  const helper = entryFor(config.credHelpers, hosts, upstream);
  if (helper !== undefined) return helperFor('credHelpers', helper.value, helper.key);
  const found = partEntryFor(config.auths, hosts, repository) ?? entryFor(config.auths, hosts, upstream);
  const entry = found?.value;
  // Docker leaves an empty entry for a login that is in the store.
  const hasSecret = entry?.auth || entry?.password || entry?.identitytoken;
  if (!hasSecret && config.credsStore) {
    return helperFor('credsStore', config.credsStore, found?.key ?? storedUnder(hosts));
  }
  if (!entry) return { problem: `must have an entry in "auths" for ${hosts[0]}: run docker login there` };
  // With an identity token, the password of the entry is a placeholder (Azure: nil UUID) or absent.
  if (entry.identitytoken) return { credential: { kind: 'identity', token: entry.identitytoken } };
  const { username = '', password = '' } = entry.auth ? decodedAuth(entry.auth) : entry;
  if (username !== '' && password !== '') return { credential: { kind: 'service', username, password } };
  return {
    problem: `must have "auth" with the base64 of user:password, "username" and "password", or "identitytoken", for ${hosts[0]}`,
  };
}

/** Docker pads some passwords with zero bytes, and removes them when it reads the file. */
function decodedAuth(auth: string): Partial<BasicLogin> {
  const login = decodeLogin(auth);
  return login ? { ...login, password: login.password.replace(/\0+$/, '') } : {};
}

/**
 * Finds the logins for registries with the same content. A registry that the configuration does not mention needs
 * none.
 */
export function loginsFor(config: DockerConfig, upstreams: readonly URL[]): FoundLogin[] {
  const known = upstreams.filter((each) => knowsOf(config, each));
  return (known.length > 0 ? known : upstreams).map((each) => loginFor(config, each));
}

/** True if the configuration mentions a registry. */
export function knowsOf({ auths, credHelpers }: DockerConfig, upstream: URL): boolean {
  const hosts = hostsOf(upstream);
  return [auths, credHelpers].some((table) => entryFor<unknown>(table, hosts, upstream) !== undefined);
}

/** The program of a helper, named as Docker names it. The name has no slash, so that the program is found by PATH. */
function helperFor(field: string, helper: string, server: string): FoundLogin {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(helper)) {
    return { helper: { program: `docker-credential-${helper}`, server } };
  }
  return {
    problem: `must name in "${field}" what follows docker-credential- in a program's name, like ecr-login: letters, digits, dots and hyphens`,
  };
}

/** The address under which `docker login` stores a login. */
function storedUnder([host]: readonly [string, ...string[]]): string {
  return host === hubHost ? `https://${hubHost}/v1/` : host;
}

const hubHost = 'index.docker.io';

/**
 * The hosts whose login fits. Docker Hub serves registry-1.docker.io, and its login is under its address for API v1.
 */
function hostsOf({ host }: URL): readonly [string, ...string[]] {
  const hub = ['registry-1.docker.io', 'index.docker.io', 'docker.io'];
  return hub.includes(host) ? [hubHost, 'docker.io', 'registry-1.docker.io'] : [host];
}

/**
 * Finds the entry of the first host that has one. Host and port must be equal: a match of the end or the beginning
 * would send the login for registry.example to evil-registry.example or registry.example.evil, and a match without
 * the port to another server on that host. Keys with a path are skipped, because they are for a part of a registry only
 * (`partEntryFor`).
 */
function entryFor<Value>(
  table: Readonly<Record<string, Value>>,
  hosts: readonly string[],
  upstream: URL,
): { readonly key: string; readonly value: Value } | undefined {
  const byHost = new Map(
    Object.entries(table).flatMap(([key, value]) => {
      const host = hostOfKey(key, upstream.protocol);
      return host === undefined ? [] : [[host, { key, value }] as const];
    }),
  );
  return hosts.map((host) => byHost.get(host)).find((entry) => entry !== undefined);
}

/**
 * Finds the entry for the smallest part of a registry that has a repository: podman login takes a registry with a path, and
 * writes it as the key (containers-auth.json(5)).
 */
function partEntryFor<Value>(
  table: Readonly<Record<string, Value>>,
  hosts: readonly string[],
  repository: RepositoryName | undefined,
): { readonly key: string; readonly value: Value } | undefined {
  const parts = repository?.split('/') ?? [];
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  const keys = paths.flatMap((path) => hosts.map((host) => `${host}/${path}`));
  return keys.flatMap((key) => (table[key] === undefined ? [] : [{ key, value: table[key] }]))[0];
}

/** The host of a key: `registry.example:5000`, or `https://registry.example/v1/` from the time of API v1. */
function hostOfKey(key: string, protocol: string): string | undefined {
  const isUrl = /^https?:\/\//i.test(key);
  if (!isUrl && !/^[^/?#@\s]+$/.test(key)) return undefined;
  const url = isUrl ? key : `${protocol}//${key}`;
  return URL.parse(url)?.host;
}
