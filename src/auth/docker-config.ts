import * as z from 'zod';
import type { Credential } from '../upstream/credential.ts';
import { decodeLogin } from './basic-login.ts';

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
  | { readonly credential: Credential }
  /** Goes on from `REGSHIFT_DOCKER_CONFIG is …: it`. */
  | { readonly problem: string; readonly helper?: LoginHelper };

/** A program that keeps logins: `docker-credential-<name>`, asked for the address that the login is kept under. */
export interface LoginHelper {
  readonly name: string;
  readonly address: string;
}

/** The login for a registry. A helper goes before an entry, as it does in Docker. */
export function loginFor(config: DockerConfig, upstream: URL): FoundLogin {
  const hosts = hostsOf(upstream);
  const helper = valueFor(config.credHelpers, hosts, upstream);
  if (helper !== undefined) return helperProblem(hosts, 'credHelpers', helper);
  const entry = valueFor(config.auths, hosts, upstream);
  // Docker leaves an empty entry behind for a login that the store keeps.
  const kept = entry?.auth || entry?.identitytoken;
  if (!kept && config.credsStore) return helperProblem(hosts, 'credsStore', config.credsStore);
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

function helperProblem(hosts: readonly string[], field: string, helper: string): FoundLogin {
  return {
    helper: { name: helper, address: hosts[0] === hubHost ? hubAddress : (hosts[0] ?? '') },
    problem:
      `keeps the login for ${hosts[0]} in the helper ${JSON.stringify(helper.slice(0, 60))} (${field}), and helpers ` +
      'are not run yet: give a configuration with "auth" in it, or REGSHIFT_UPSTREAM_AUTH=basic',
  };
}

const hubHost = 'index.docker.io';
const hubAddress = `https://${hubHost}/v1/`;

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
function valueFor<Value>(
  table: Readonly<Record<string, Value>>,
  hosts: readonly string[],
  upstream: URL,
): Value | undefined {
  const byHost = new Map(
    Object.entries(table).flatMap(([key, value]) => {
      const host = hostOfKey(key, upstream.protocol);
      return host === undefined ? [] : [[host, value] as const];
    }),
  );
  return hosts.map((host) => byHost.get(host)).find((value) => value !== undefined);
}

/** `registry.example:5000`, or as in the days of API v1 `https://registry.example/v1/`. */
function hostOfKey(key: string, protocol: string): string | undefined {
  const isUrl = /^https?:\/\//i.test(key);
  if (!isUrl && !/^[^/?#@\s]+$/.test(key)) return undefined;
  const url = isUrl ? key : `${protocol}//${key}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
