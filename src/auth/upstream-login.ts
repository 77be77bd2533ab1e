import type { Values } from '../config/settings.ts';
import { Failure } from '../errors.ts';
import type { Credential, LoginKeeper } from '../upstream/credential.ts';
import { type HelperQuestion, loginFor } from './docker-config.ts';

/** In whose name upstream is asked: in each client's own, or in one name for all. */
export type UpstreamLogin = 'passthrough' | Credential;

/**
 * @param keeperOf undefined where no program can be run.
 * @throws Failure MISCONFIGURED for settings that the rules of auth-rules.ts would have refused.
 */
export function upstreamLogin(
  settings: Values,
  keeperOf: ((question: HelperQuestion) => LoginKeeper) | undefined,
): UpstreamLogin {
  const { REGSHIFT_UPSTREAM: upstream, REGSHIFT_DOCKER_CONFIG: config } = settings;
  const { REGSHIFT_UPSTREAM_USERNAME: username, REGSHIFT_UPSTREAM_PASSWORD: password } = settings;
  const mode = settings.REGSHIFT_UPSTREAM_AUTH;
  if (mode === 'passthrough') return mode;
  if (mode === 'anonymous') return { kind: 'none' };
  if (mode === 'basic' && username !== undefined && password !== undefined) {
    return { kind: 'service', username, password };
  }
  const found = config && upstream ? loginFor(config, upstream) : undefined;
  if (mode === 'docker-config' && found && 'credential' in found) return found.credential;
  if (mode === 'docker-config' && found && 'helper' in found && keeperOf) {
    return { kind: 'kept', keeper: keeperOf(found.helper) };
  }
  throw new Failure('MISCONFIGURED', `REGSHIFT_UPSTREAM_AUTH is ${mode}, and what it needs is not set.`);
}
