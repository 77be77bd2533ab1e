import type { JSONWebKeySet } from 'jose';
import type { ClientAuth } from '../auth/client-auth.ts';
import type { ComparePassword } from '../auth/compare-password.ts';
import { createHtpasswdAuth } from '../auth/htpasswd.ts';
import { createJwtAuth } from '../auth/jwt.ts';
import type { LoginQueue } from '../auth/login-queue.ts';
import type { Clock, WallClock } from '../clock.ts';
import type { Values } from '../config/settings.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Fetch } from '../upstream/send.ts';
import type { NewestValues } from './platform.ts';

interface ClientAuthParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly log: Log;
  readonly comparePassword: ComparePassword;
  /** The newest settings of the route; undefined if none can change. */
  readonly newest: NewestValues | undefined;
  /** One queue for all routes, since they share the processor. */
  readonly loginQueue: LoginQueue;
}

/**
 * Creates the client auth of the settings.
 * @returns undefined if the proxy lets in every client.
 * @throws RegistryError MISCONFIGURED for settings that the rules should have refused: the proxy must not let in
 *   everyone by mistake.
 */
export function chooseClientAuth(
  settings: Values,
  { fetch, clock, wallClock, log, comparePassword: compare, loginQueue: queue, newest }: ClientAuthParts,
): ClientAuth | undefined {
  const { REGSHIFT_CLIENT_AUTH: mode, REGSHIFT_HTPASSWD: entries } = settings;
  const { REGSHIFT_JWT_ISSUER: issuer, REGSHIFT_JWT_AUDIENCE: audience } = settings;
  const keys = settings.REGSHIFT_JWKS ?? settings.REGSHIFT_JWKS_URL;
  if (mode === undefined || mode === 'none') return undefined;
  if (mode === 'basic' && entries) {
    const renewed = newest && (async () => (await newest(false)).REGSHIFT_HTPASSWD ?? entries);
    return createHtpasswdAuth({ entries, renewed, compare, queue, clock });
  }
  if (mode === 'jwt' && keys && issuer && audience) {
    const of = (jwks: typeof keys) =>
      createJwtAuth({ fetch, clock, wallClock, log, keys: jwks, issuer, audience });
    return keys instanceof URL || newest === undefined ? of(keys) : renewedKeys(keys, newest, of);
  }
  throw new RegistryError('MISCONFIGURED', `REGSHIFT_CLIENT_AUTH is ${mode}, and what it needs is not set.`);
}

/** Checks JWTs by the newest keys of a file. */
function renewedKeys(
  first: JSONWebKeySet,
  newest: NewestValues,
  authFor: (keys: JSONWebKeySet) => ClientAuth,
): ClientAuth {
  let made = { keys: first, auth: authFor(first) };
  return {
    async authenticate(attempt) {
      const keys = (await newest(false)).REGSHIFT_JWKS ?? first;
      if (keys !== made.keys) made = { keys, auth: authFor(keys) };
      return made.auth.authenticate(attempt);
    },
  };
}
