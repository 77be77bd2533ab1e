import { type HelperQuestion, knowsOf, loginFor } from '../auth/docker-config.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import type { Values } from '../config/settings.ts';
import { RegistryError } from '../errors.ts';
import type { CredentialHelper } from '../upstream/auth/credential.ts';

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
export function upstreamLogin(
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
