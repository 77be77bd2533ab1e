import { importPKCS8, SignJWT } from 'jose';
import type { ObtainedLogin } from '../renewed-login.ts';
import type { GoogleKey } from './google-key.ts';
import {
  type CloudParts,
  type CloudResponse,
  noLogin,
  refusedLogin,
  requestLogin,
  secretOf,
} from './login-server.ts';
import type { MachineIdentity } from './machine-identity.ts';

export interface GcpOptions extends CloudParts {
  /** The origin of the registry, the only one that gets the login. */
  readonly origin: string;
  readonly account: GoogleAccount;
}

/** Asks Google for an access token of an account. */
export type GoogleAccount = (parts: CloudParts) => Promise<Answered>;

/**
 * Gets a login of Google: an access token as the password of the user `oauth2accesstoken` (Artifact Registry, "Set up
 * authentication for Docker", "Access token").
 * @throws RegistryError MISCONFIGURED if Google refuses; UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT.
 */
export async function obtainGcpLogin({ origin, account, ...parts }: GcpOptions): Promise<ObtainedLogin> {
  const [url, response] = await account(parts);
  const password = secretOf(response.fields.access_token);
  if (password === undefined) throw noLogin(`${url.host} answered without an access_token`, 'Try again');
  const { expires_in: seconds } = response.fields;
  return {
    login: { kind: 'service', username: 'oauth2accesstoken', password, origin },
    lifeMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined,
  };
}

type Answered = readonly [url: URL, response: CloudResponse];

/** The scope of docker-credential-gcr (config/const.go, GCRScopes). The roles of the account decide what it may do. */
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** The longest life that Google accepts for an assertion, in seconds. */
const assertionSeconds = 3600;

/**
 * The service account of a key: RFC 7523, section 2.1, as in Google Identity, "Using OAuth 2.0 for Server to Server
 * Applications".
 */
export function accountOfKey(key: GoogleKey): GoogleAccount {
  return async (parts) => {
    const url = new URL(key.token_uri);
    const assertion = await sign(key, Math.floor(parts.wallClock().getTime() / 1000));
    const response = await requestLogin(parts, {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: grantType, assertion }).toString(),
    });
    if (response.status === 200) return [url, response];
    const advice =
      'Check REGSHIFT_GOOGLE_KEY: the key may be deleted or disabled, or the clock of this machine wrong';
    throw refusedLogin(url, response, response.fields.error, advice);
  };
}

async function sign(key: GoogleKey, now: number): Promise<string> {
  const privateKey = await importPKCS8(key.private_key, 'RS256').catch(() => {
    throw noLogin('private_key in REGSHIFT_GOOGLE_KEY is no RSA key', 'Give the file as Google made it');
  });
  const { private_key_id: kid } = key;
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
    .setIssuer(key.client_email)
    .setAudience(key.token_uri)
    .setIssuedAt(now)
    .setExpirationTime(now + assertionSeconds)
    .sign(privateKey);
}

const machinePath = '/computeMetadata/v1/instance/service-accounts/default/token';

/**
 * The account of the machine or, in GKE, of the pod (Compute Engine, "Authenticate applications with metadata server").
 * `GCE_METADATA_HOST` is the variable of Google's own libraries.
 */
export function accountOfMachine({ variables, fetch }: MachineIdentity): GoogleAccount {
  return async (parts) => {
    const host = variables.GCE_METADATA_HOST || 'metadata.google.internal';
    const url = URL.canParse(`http://${host}`) ? new URL(machinePath, `http://${host}`) : undefined;
    if (url === undefined) throw noLogin('GCE_METADATA_HOST is no host', 'Leave it out');
    const headers = { 'metadata-flavor': 'Google' };
    const response = await requestLogin({ ...parts, fetch }, { url, method: 'GET', headers }).catch(() => {
      const found = `REGSHIFT_GOOGLE_KEY is not set, and there is no metadata server at ${url.host}`;
      throw noLogin(found, 'Set the key, or run this program on Google Cloud');
    });
    if (response.status === 200) return [url, response];
    throw refusedLogin(url, response, undefined, 'Give a service account to this machine or pod');
  };
}
