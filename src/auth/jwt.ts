import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock, WallClock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { bearerOrPassword } from '../upstream/auth/basic.ts';
import { networkCode } from '../upstream/network-errors.ts';
import type { Fetch } from '../upstream/send.ts';
import { type ClientAuth, denied } from './client-auth.ts';

export interface JwtAuthOptions {
  /** The keys themselves, or their address. */
  readonly keys: JSONWebKeySet | URL;
  readonly issuer: string;
  readonly audience: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly log: Log;
}

/** Only signatures by a key pair: with a shared secret, a service that checks tokens could also create them. */
const algorithms = ['RS256', 'ES256', 'EdDSA'];
/** The accepted difference between the clocks of the issuer and of the proxy. */
const toleranceSeconds = 30;

/**
 * Accepts a JWT of the issuer as the password of a Basic login with any user name, or as a Bearer value. The challenge
 * is Basic, not Bearer: `docker login` then takes the JWT as a password in every engine since 1.3, API v1 included, no
 * client needs another request to a token endpoint, and containerd does not try a POST there first. Programs that
 * already have a JWT send it as Bearer without a challenge.
 */
export function createJwtAuth(options: JwtAuthOptions): ClientAuth {
  const { issuer, audience, wallClock } = options;
  const keys = options.keys instanceof URL ? remoteKeys(options.keys, options) : localKeys(options.keys);
  return {
    async authenticate({ headers }) {
      // A password that is no JWT is a token that cannot be read.
      const token = bearerOrPassword(headers.get('authorization'));
      if (token === undefined) {
        return denied('Log in with a JWT as the password, under any user name (docker login).');
      }
      try {
        const currentDate = wallClock();
        const rules = { issuer, audience, algorithms, clockTolerance: toleranceSeconds, currentDate };
        const payload = await verifiedClaims(token, keys, { ...rules, requiredClaims: ['exp'] });
        return { ok: true, subject: payload.sub ?? '' };
      } catch (error) {
        if (error instanceof RegistryError) throw error;
        if (!(error instanceof errors.JOSEError)) throw unusableKey(error);
        return denied(`${problemOf(error)}: log in with a new JWT.`);
      }
    },
  };
}

/**
 * The claims of a JWT. One that names no key ("kid" is optional: RFC 7515, section 4.1.4) may be signed by any key that
 * fits, of which there are two while an issuer rotates its keys.
 */
async function verifiedClaims(
  token: string,
  keys: JWTVerifyGetKey,
  rules: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, rules)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, rules)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** An error of WebCrypto: it is about the key that the JWT names, and quotes nothing of either. */
function unusableKey(cause: unknown): RegistryError {
  const reason = cause instanceof Error ? cause.message : 'unknown';
  const message = `The key of this JWT, in REGSHIFT_JWKS or at REGSHIFT_JWKS_URL, cannot be used: ${reason}.`;
  return new RegistryError('MISCONFIGURED', message, { cause });
}

function localKeys(keys: JSONWebKeySet): JWTVerifyGetKey {
  return createLocalJWKSet(keys);
}

/**
 * The pause after a failed request for the keys. Without it, jose would fetch them again for each token (jwks/remote.js
 * of jose 6.2.18).
 */
const afterErrorMs = 5_000;

/** The time for which the keys are used, and the pause between two requests for tokens with unknown keys: jose's own. */
const keysMs = 600_000;
const unknownKeyMs = 30_000;
/** The age to which keys are used while no newer ones can be read: an hour more. */
const oldKeysMs = keysMs + 3_600_000;
/** The cause of unreadable keys is logged once in this time. */
const tellMs = 60_000;

/**
 * The keys at an address. An error in fetching them is not the token's fault. jose would take the age of the keys from
 * the wall clock: set back by an hour, it would keep a withdrawn key alive for an hour, and a new one unknown.
 * @throws RegistryError MISCONFIGURED if the keys cannot be read.
 */
function remoteKeys(url: URL, { fetch, clock, log }: JwtAuthOptions): JWTVerifyGetKey {
  let lastError: { readonly error: unknown; readonly at: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let readAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;
  const set = createRemoteJWKSet(url, {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    async [customFetch](href: string, init: RequestInit) {
      if (lastError && clock() - lastError.at < afterErrorMs) throw lastError.error;
      const at = clock();
      const response = await fetch(href, init);
      askedAt = at;
      return response;
    },
  });

  function note(error: unknown): void {
    if (error === lastError?.error) return;
    const at = clock();
    lastError = { error, at };
    if (at - toldAt < tellMs) return;
    toldAt = at;
    const reason = [networkCode(error), error instanceof Error ? error.message : error]
      .filter(Boolean)
      .join(': ');
    log('warn', 'the keys at REGSHIFT_JWKS_URL cannot be read', { host: url.host, reason });
  }

  async function reload(): Promise<void> {
    await set.reload();
    readAt = askedAt;
  }

  async function keyOf(...[header, token]: Parameters<JWTVerifyGetKey>) {
    if (clock() - readAt >= keysMs) {
      await reload().catch((error) => {
        note(error);
        if (clock() - readAt >= oldKeysMs) throw error;
      });
    }
    try {
      return await set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || clock() - readAt < unknownKeyMs) throw error;
      await reload();
      return set(header, token);
    }
  }

  return async (header, token) => {
    try {
      return await keyOf(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      note(error);
      throw new RegistryError(
        'MISCONFIGURED',
        `Logins cannot be checked now: the keys at ${url.host} (REGSHIFT_JWKS_URL) could not be read.`,
        { cause: error },
      );
    }
  };
}

function isAboutToken(error: unknown): boolean {
  const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors;
  return [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported].some(
    (kind) => error instanceof kind,
  );
}

/** The problem in words. A message of jose is not used, because it may quote the token. */
function problemOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The JWT has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The JWT's claim "${error.claim}" does not fit`;
  if (error instanceof errors.JOSEAlgNotAllowed) return `The JWT is not signed by ${algorithms.join(', ')}`;
  const noKey = error instanceof errors.JWKSNoMatchingKey;
  if (noKey || error instanceof errors.JWSSignatureVerificationFailed) {
    return 'The JWT is not signed by a key of this proxy';
  }
  return 'The login is not a JWT that can be read';
}
