import type { Values } from '../config/settings.ts';
import { Failure } from '../errors.ts';
import type { Fetch } from '../upstream/send.ts';
import type { ClientAuth } from './client-auth.ts';
import { createHtpasswdAuth } from './htpasswd.ts';
import { createJwtAuth } from './jwt.ts';

/**
 * The client auth that the settings ask for.
 * @returns undefined where they say that the proxy does not ask who its clients are.
 * @throws Failure MISCONFIGURED where the rules of the settings have failed: an open door must not be what is left.
 */
export function chooseClientAuth(
  settings: Values,
  platform: { readonly fetch: Fetch; readonly clock: () => number },
): ClientAuth | undefined {
  const { REGSHIFT_CLIENT_AUTH: mode, REGSHIFT_HTPASSWD: entries } = settings;
  const { REGSHIFT_JWT_ISSUER: issuer, REGSHIFT_JWT_AUDIENCE: audience } = settings;
  const keys = settings.REGSHIFT_JWKS ?? settings.REGSHIFT_JWKS_URL;
  const { fetch, clock } = platform;
  if (mode === undefined || mode === 'none') return undefined;
  if (mode === 'basic' && entries) return createHtpasswdAuth(entries, clock);
  if (mode === 'jwt' && keys && issuer && audience) {
    return createJwtAuth({ fetch, clock, keys, issuer, audience });
  }
  throw new Failure('MISCONFIGURED', `REGSHIFT_CLIENT_AUTH is ${mode}, and what it needs is not set.`);
}
