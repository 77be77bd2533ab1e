import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { RegistryError } from '../errors.ts';
import type { Fetch } from '../upstream/send.ts';
import { basicLogin } from './basic.ts';
import { type ClientAuth, denied } from './client-auth.ts';

export interface JwtAuthOptions {
  /** The keys themselves, or where they are. */
  readonly keys: JSONWebKeySet | URL;
  readonly issuer: string;
  readonly audience: string;
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Signatures by a key pair: with a shared secret, whoever checks tokens could also make them. */
const algorithms = ['RS256', 'ES256', 'EdDSA'];
/** Two clocks seldom agree. */
const toleranceSeconds = 30;

/**
 * Lets in who brings a JWT of the issuer: as the password of a Basic login, whatever the user name, or as a Bearer
 * value. The challenge is Basic, not Bearer: `docker login` then takes the JWT as a password in every engine since
 * 1.3, API v1 included, no client needs another request to a token endpoint, and containerd does not try a POST
 * there first. Programs that have a JWT at hand send it as Bearer without being asked.
 */
export function createJwtAuth(options: JwtAuthOptions): ClientAuth {
  const { issuer, audience, clock } = options;
  const keys = options.keys instanceof URL ? remoteKeys(options.keys, options) : localKeys(options.keys);
  return {
    async authenticate({ headers }) {
      const token = tokenIn(headers.get('authorization'));
      if (token === undefined) {
        return denied('Log in with a JWT as the password, under any user name (docker login).');
      }
      try {
        const currentDate = new Date(clock());
        const rules = { issuer, audience, algorithms, clockTolerance: toleranceSeconds, currentDate };
        const { payload } = await jwtVerify(token, keys, { ...rules, requiredClaims: ['exp'] });
        return { ok: true, subject: payload.sub ?? '' };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        return denied(`${whatIsWrong(error)}: log in with a new JWT.`);
      }
    },
  };
}

/** A password that is no JWT goes the way of a broken one. */
function tokenIn(authorization: string | null): string | undefined {
  return /^bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? basicLogin(authorization)?.password;
}

function localKeys(keys: JSONWebKeySet): JWTVerifyGetKey {
  return createLocalJWKSet(keys);
}

/**
 * jose asks for the keys again when a token names an unknown one, at most every 30 s after an answer, but without any
 * pause after a failure (jwks/remote.js of jose 6.2.18): made-up tokens would each cause a request.
 */
const afterFailureMs = 5_000;

/** A failure to read the keys is no fault of the token. @throws RegistryError MISCONFIGURED */
function remoteKeys(url: URL, { fetch, clock }: JwtAuthOptions): JWTVerifyGetKey {
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  const set = createRemoteJWKSet(url, {
    async [customFetch](href: string, init: RequestInit) {
      if (failure && clock() - failure.at < afterFailureMs) throw failure.error;
      return fetch(href, init);
    },
  });
  return async (header, token) => {
    try {
      return await set(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      if (error !== failure?.error) failure = { error, at: clock() };
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

/** Nothing of the token itself, which a message of jose may quote. */
function whatIsWrong(error: errors.JOSEError): string {
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
