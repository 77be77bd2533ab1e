import type { JSONWebKeySet } from 'jose';
import * as z from 'zod';
import { parseGoogleKey } from '../auth/clouds/google-key.ts';
import { parseDockerConfig } from '../auth/docker-config.ts';
import { parseHtpasswd } from '../auth/htpasswd-file.ts';

const htpasswd = z.string().transform((text, context) => {
  const { entries, problems } = parseHtpasswd(text);
  for (const { line, message } of problems) {
    context.addIssue({ code: 'custom', message: `must be bcrypt entries: line ${line} ${message}` });
  }
  if (problems.length === 0 && entries.size === 0) {
    context.addIssue({ code: 'custom', message: 'must hold at least one user: make one by htpasswd -B' });
  }
  return entries;
});

const dockerConfig = z.string().transform((text, context) => {
  const config = parseDockerConfig(text);
  if (config) return config;
  context.addIssue({ code: 'custom', message: 'must be JSON like ~/.docker/config.json, or a path to it' });
  return z.NEVER;
});

/** A public key. A private key is refused, so that a reader of the settings cannot make logins for the proxy. */
const publicKey = z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) }).refine((key) => !('d' in key));
const publicKeys = z.object({ keys: z.array(publicKey).min(1) });

const jwks = z.string().transform((text, context): JSONWebKeySet => {
  try {
    const keys = publicKeys.safeParse(JSON.parse(text));
    if (keys.success) return keys.data;
  } catch {
    // The message below replaces the parser's own, which quotes the text.
  }
  const message =
    'must be a JSON Web Key Set: {"keys": [...]} with public RSA, EC or OKP keys and no private part';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Whether a server may get secrets, or give keys: by HTTPS, or on this machine. */
export function isLoginServer(text: string): boolean {
  const { protocol, hostname } = URL.canParse(text) ? new URL(text) : new URL('data:');
  return protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname));
}

const googleKey = z.string().transform((text, context) => {
  const key = parseGoogleKey(text);
  if (key && isLoginServer(key.token_uri)) return key;
  context.addIssue({
    code: 'custom',
    message: 'must be the JSON key of a service account as Google made it, or a path to it',
  });
  return z.NEVER;
});

/** HTTPS is required except on loopback: an attacker who changes the keys in transit can log in as anyone. */
const jwksUrl = z
  .url({ error: 'must be a URL that begins with https://' })
  .transform((text) => new URL(text))
  .refine(({ href }) => isLoginServer(href), 'must begin with https:// (http:// is for this machine itself)');

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
  REGSHIFT_UPSTREAM_AUTH: z
    .enum(upstreamModes, {
      error: 'must be passthrough, anonymous, basic, docker-config, ecr, gcp or acr',
    })
    .default('passthrough'),
  REGSHIFT_UPSTREAM_USERNAME: z
    .string()
    .regex(/^[^:\p{Cc}]+$/u, 'must hold no colon (RFC 7617) and no control character')
    .optional(),
  REGSHIFT_UPSTREAM_PASSWORD: z
    .string()
    // Base64 hides line breaks (RFC 7617): the password of Google's user _json_key is a JSON file.
    .regex(
      /^[\P{Cc}\t\r\n]*\P{Cc}$/u,
      'must hold no control character but line breaks and tabs, and must not end with one',
    )
    .optional(),
  REGSHIFT_DOCKER_CONFIG: dockerConfig.optional(),
  REGSHIFT_GOOGLE_KEY: googleKey.optional(),
  // Names of the clouds' own: they may be set for other programs, so cloud-rules.ts checks them if they are used.
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_ENDPOINT_URL_ECR: z.string().optional(),
  AZURE_TENANT_ID: z.string().optional(),
  AZURE_CLIENT_ID: z.string().optional(),
  AZURE_CLIENT_SECRET: z.string().optional(),
  AZURE_AUTHORITY_HOST: z.string().optional(),
  REGSHIFT_CLIENT_AUTH: z.enum(clientModes, { error: 'must be none, basic or jwt' }).optional(),
  REGSHIFT_HTPASSWD: htpasswd.optional(),
  REGSHIFT_JWKS_URL: jwksUrl.optional(),
  REGSHIFT_JWKS: jwks.optional(),
  REGSHIFT_JWT_ISSUER: z.string().optional(),
  REGSHIFT_JWT_AUDIENCE: z.string().optional(),
  /**
   * `always` sends clients to the proxy's own /token instead of the token server that upstream names, so that their
   * passwords pass through the proxy. `never` keeps passwords off the network between client and proxy: it suits
   * clients that speak plain HTTP to the proxy and can reach the token server themselves.
   */
  REGSHIFT_TOKEN_RELAY: z.enum(['always', 'never'], { error: 'must be always or never' }).default('always'),
};
