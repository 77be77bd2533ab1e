import type { JSONWebKeySet } from 'jose';
import * as z from 'zod/mini';
import { parseGoogleKey } from '../auth/clouds/google-key.ts';
import { parseDockerConfig } from '../auth/docker-config.ts';
import { parseHtpasswd } from '../auth/htpasswd-file.ts';
import { readText } from './read-text.ts';

const htpasswd = readText((text, refuse) => {
  const { entries, problems } = parseHtpasswd(text);
  for (const { line, message } of problems) {
    refuse(`must be bcrypt entries: line ${line} ${message}`);
  }
  if (problems.length === 0 && entries.size === 0) {
    refuse('must hold at least one user: make one by htpasswd -B');
  }
  return entries;
});

const dockerConfig = readText(
  (text, refuse) =>
    parseDockerConfig(text) ?? refuse('must be JSON like ~/.docker/config.json, or a path to it'),
);

/** A public key. A private key is refused, so that a reader of the settings cannot make logins for the proxy. */
const publicKey = z
  .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) })
  .check(z.refine((key) => !('d' in key)));
const publicKeys = z.object({ keys: z.array(publicKey).check(z.minLength(1)) });

const jwks = readText((text, refuse): JSONWebKeySet => {
  try {
    const keys = publicKeys.safeParse(JSON.parse(text));
    if (keys.success) return keys.data;
  } catch {
    // The message below replaces the parser's own, which quotes the text.
  }
  return refuse(
    'must be a JSON Web Key Set: {"keys": [...]} with public RSA, EC or OKP keys and no private part',
  );
});

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Whether a server may get secrets, or give keys: by HTTPS, or on this machine. */
export function isLoginServer(text: string): boolean {
  const { protocol, hostname } = URL.canParse(text) ? new URL(text) : new URL('data:');
  return protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname));
}

const googleKey = readText((text, refuse) => {
  const key = parseGoogleKey(text);
  if (key && isLoginServer(key.token_uri)) return key;
  return refuse('must be the JSON key of a service account as Google made it, or a path to it');
});

/** HTTPS is required except on loopback: an attacker who changes the keys in transit can log in as anyone. */
const jwksUrl = z
  .pipe(
    z.url('must be a URL that begins with https://'),
    z.transform((text) => new URL(text)),
  )
  .check(
    z.refine(
      ({ href }) => isLoginServer(href),
      'must begin with https:// (http:// is for this machine itself)',
    ),
  );

const username = z
  .string()
  .check(z.regex(/^[^:\p{Cc}]+$/u, 'must hold no colon (RFC 7617) and no control character'));

/** Base64 hides line breaks (RFC 7617): the password of Google's user _json_key is a JSON file. */
const password = z
  .string()
  .check(
    z.regex(
      /^[\P{Cc}\t\r\n]*\P{Cc}$/u,
      'must hold no control character but line breaks and tabs, and must not end with one',
    ),
  );

/** Modes in which all clients use one account of the proxy at upstream. */
export const ownAccountModes: readonly string[] = ['basic', 'docker-config', 'ecr', 'gcp', 'acr'];

export const upstreamModes = [
  'passthrough',
  'anonymous',
  'basic',
  'docker-config',
  'ecr',
  'gcp',
  'acr',
] as const;
export const clientModes = ['none', 'basic', 'jwt'] as const;

/**
 * The settings of the login at upstream and of the clients' login at the proxy. auth-rules.ts checks them against
 * each other.
 */
export const authFields = {
  REGSHIFT_UPSTREAM_AUTH: z._default(
    z.enum(upstreamModes, 'must be passthrough, anonymous, basic, docker-config, ecr, gcp or acr'),
    'passthrough',
  ),
  REGSHIFT_UPSTREAM_USERNAME: z.optional(username),
  REGSHIFT_UPSTREAM_PASSWORD: z.optional(password),
  REGSHIFT_DOCKER_CONFIG: z.optional(dockerConfig),
  REGSHIFT_GOOGLE_KEY: z.optional(googleKey),
  // Names of the clouds' own: they may be set for other programs, so cloud-rules.ts checks them if they are used.
  AWS_ACCESS_KEY_ID: z.optional(z.string()),
  AWS_SECRET_ACCESS_KEY: z.optional(z.string()),
  AWS_SESSION_TOKEN: z.optional(z.string()),
  AWS_ENDPOINT_URL_ECR: z.optional(z.string()),
  AZURE_TENANT_ID: z.optional(z.string()),
  AZURE_CLIENT_ID: z.optional(z.string()),
  AZURE_CLIENT_SECRET: z.optional(z.string()),
  AZURE_AUTHORITY_HOST: z.optional(z.string()),
  REGSHIFT_CLIENT_AUTH: z.optional(z.enum(clientModes, 'must be none, basic or jwt')),
  REGSHIFT_HTPASSWD: z.optional(htpasswd),
  REGSHIFT_JWKS_URL: z.optional(jwksUrl),
  REGSHIFT_JWKS: z.optional(jwks),
  REGSHIFT_JWT_ISSUER: z.optional(z.string()),
  REGSHIFT_JWT_AUDIENCE: z.optional(z.string()),
  /**
   * `always` sends clients to the proxy's own /token instead of the token server that upstream names, so that their
   * passwords pass through the proxy. `never` keeps passwords off the network between client and proxy: it suits
   * clients that speak plain HTTP to the proxy and can reach the token server themselves.
   */
  REGSHIFT_TOKEN_RELAY: z._default(z.enum(['always', 'never'], 'must be always or never'), 'always'),
};
