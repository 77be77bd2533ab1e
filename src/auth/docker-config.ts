import * as z from 'zod';
import type { StaticCredential } from '../upstream/auth/credential.ts';
import { decodeLogin } from './basic.ts';

/** The part of `~/.docker/config.json` (and of podman's auth.json) that tells logins. */
const schema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        /** base64 of user:password */
        auth: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

export type DockerConfig = z.output<typeof schema>;

/** @returns undefined for what is no Docker configuration; why not is not said, since it would quote passwords. */
export function parseDockerConfig(text: string): DockerConfig | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export type FoundLogin =
  | { readonly credential: StaticCredential }
  | { readonly helper: HelperQuestion }
  /** Goes on from `REGSHIFT_DOCKER_CONFIG is …: it`. */
  | { readonly problem: string };

/** A program that keeps logins, and the name under which it keeps this one. */
export interface HelperQuestion {
  /** Like `docker-credential-ecr-login`. */
  readonly program: string;
  readonly server: string;
}

/** The login for a registry. A helper goes before an entry, as it does in Docker. */
export function loginFor(config: DockerConfig, upstream: URL): FoundLogin {
  const hosts = hostsOf(upstream);
  const helper = entryFor(config.credHelpers, hosts, upstream);
  if (helper !== undefined) return helperFor('credHelpers', helper.value, helper.key);
  const found = entryFor(config.auths, hosts, upstream);
  const entry = found?.value;
  // Docker leaves an empty entry behind for a login that the store keeps.
  const kept = entry?.auth || entry?.identitytoken;
  if (!kept && config.credsStore) {
    return helperFor('credsStore', config.credsStore, found?.key ?? storedUnder(hosts));
  }
  if (!entry) return { problem: `must have an entry in "auths" for ${hosts[0]}: run docker login there` };
  // With an identity token, the password of the entry is a stand-in (Azure: nil UUID) or absent.
  if (entry.identitytoken) return { credential: { kind: 'identity', token: entry.identitytoken } };
  // Docker writes zeros after some passwords, and cuts them off when it reads them.
  const login = decodeLogin(entry.auth ?? '');
  const password = login?.password.replace(/\0+$/, '') ?? '';
  if (login && login.username !== '' && password !== '') {
    return { credential: { kind: 'service', username: login.username, password } };
  }
  return {
    problem: `must have "auth" with the base64 of user:password, or "identitytoken", for ${hosts[0]}`,
  };
}

/** The logins for registries that hold the same: one that the configuration has no word of is asked without. */
export function loginsFor(config: DockerConfig, upstreams: readonly URL[]): FoundLogin[] {
  const known = upstreams.filter((each) => knowsOf(config, each));
  return (known.length > 0 ? known : upstreams).map((each) => loginFor(config, each));
}

/** Whether the configuration has any word of a registry. */
export function knowsOf({ auths, credHelpers }: DockerConfig, upstream: URL): boolean {
  const hosts = hostsOf(upstream);
  return [auths, credHelpers].some((table) => entryFor<unknown>(table, hosts, upstream) !== undefined);
}

/** Docker's own rule for the program's name; without a slash in it, it is one of those that the PATH leads to. */
function helperFor(field: string, helper: string, server: string): FoundLogin {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(helper)) {
    return { helper: { program: `docker-credential-${helper}`, server } };
  }
  return {
    problem: `must name in "${field}" what follows docker-credential- in a program's name, like ecr-login: letters, digits, dots and hyphens`,
  };
}

/** The address under which `docker login` keeps a login in a store. */
function storedUnder([host]: readonly [string, ...string[]]): string {
  return host === hubHost ? `https://${hubHost}/v1/` : host;
}

const hubHost = 'index.docker.io';

/** Docker Hub serves registry-1.docker.io and keeps its login under the address that it had for API v1. */
function hostsOf({ host }: URL): readonly [string, ...string[]] {
  const hub = ['registry-1.docker.io', 'index.docker.io', 'docker.io'];
  return hub.includes(host) ? [hubHost, 'docker.io', 'registry-1.docker.io'] : [host];
}

/**
 * Host and port must be the same, letter for letter: a match of the end or the beginning would send the login for
 * registry.example to evil-registry.example or registry.example.evil, and one without the port to whoever may
 * listen on another port there. Keys with a path below a host (podman's) are for less than the whole of a registry.
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

/** `registry.example:5000`, or as in the days of API v1 `https://registry.example/v1/`. */
function hostOfKey(key: string, protocol: string): string | undefined {
  const isUrl = /^https?:\/\//i.test(key);
  if (!isUrl && !/^[^/?#@\s]+$/.test(key)) return undefined;
  const url = isUrl ? key : `${protocol}//${key}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
