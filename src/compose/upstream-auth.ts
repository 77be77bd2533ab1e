import { type HelperQuestion, knowsOf, loginFor } from '../auth/docker-config.ts';
import { createRotatingLogin } from '../auth/rotating-login.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import type { Values } from '../config/settings.ts';
import { RegistryError } from '../errors.ts';
import type { Credential, CredentialHelper } from '../upstream/auth/credential.ts';
import type { NewestValues } from './platform.ts';

/** The settings of a login at upstream that may be in files. */
const changing = [
  'REGSHIFT_UPSTREAM_USERNAME',
  'REGSHIFT_UPSTREAM_PASSWORD',
  'REGSHIFT_DOCKER_CONFIG',
  'REGSHIFT_GOOGLE_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
] as const;

/**
 * The login at upstream as `upstreamLogin` makes it, from the newest settings if they can change.
 * @throws RegistryError as `upstreamLogin`.
 */
export function rotatingUpstreamLogin(
  settings: Values,
  upstream: URL,
  { newest, ...sources }: LoginSources & { readonly newest: NewestValues | undefined },
): UpstreamLogin {
  const first = upstreamLogin(settings, upstream, sources);
  if (newest === undefined || first === 'passthrough' || first.kind === 'none') return first;
  const identityOf = (values: Values) => JSON.stringify(changing.map((variable) => values[variable] ?? null));
  let made: { readonly values: Values; readonly identity: string; readonly login: Credential } = {
    values: settings,
    identity: identityOf(settings),
    login: first,
  };
  const helper = createRotatingLogin({
    first,
    async newest(atOnce) {
      const values = await newest(atOnce);
      if (values === made.values) return made.login;
      const identity = identityOf(values);
      if (identity === made.identity) made = { ...made, values };
      else {
        const login = upstreamLogin(values, upstream, sources);
        made = { values, identity, login: login === 'passthrough' ? first : login };
      }
      return made.login;
    },
  });
  return { kind: 'kept', helper };
}

/** The sources of logins that change. */
export interface LoginSources {
  /** undefined if no program can be run. */
  readonly helperFor: ((question: HelperQuestion) => CredentialHelper) | undefined;
  /** Returns undefined if the settings name no cloud. */
  readonly cloudLoginFor: (settings: Values, upstream: URL) => CredentialHelper | undefined;
}

/**
 * @param upstream one of the registries of the settings: a login is for one registry.
 * @throws RegistryError MISCONFIGURED for settings that auth-rules.ts should have refused.
 */
function upstreamLogin(
  settings: Values,
  upstream: URL,
  { helperFor, cloudLoginFor }: LoginSources,
): UpstreamLogin {
  const {
    REGSHIFT_UPSTREAM_AUTH: mode,
    REGSHIFT_UPSTREAM: upstreams,
    REGSHIFT_DOCKER_CONFIG: config,
  } = settings;
  const { REGSHIFT_UPSTREAM_USERNAME: username, REGSHIFT_UPSTREAM_PASSWORD: password } = settings;
  const only = (upstreams?.length ?? 1) === 1;
  if (mode === 'passthrough' && only) return mode;
  if (mode === 'anonymous') return { kind: 'none' };
  if (mode === 'basic' && only && username !== undefined && password !== undefined) {
    return { kind: 'service', username, password };
  }
  if (mode === 'docker-config' && config) {
    // A mirror without a login is asked without one.
    if (!only && !knowsOf(config, upstream)) return { kind: 'none' };
    const found = loginFor(config, upstream);
    if ('credential' in found) return found.credential;
    if ('helper' in found && helperFor) return { kind: 'kept', helper: helperFor(found.helper) };
  }
  const cloud = only ? cloudLoginFor(settings, upstream) : undefined;
  if (cloud) return { kind: 'kept', helper: cloud };
  throw new RegistryError(
    'MISCONFIGURED',
    `REGSHIFT_UPSTREAM_AUTH is ${mode}, and what it needs is not set.`,
  );
}
