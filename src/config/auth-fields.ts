import type { JSONWebKeySet } from 'jose';
import * as z from 'zod';
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

/** Public keys only: whoever can read the settings of a proxy should not be able to make logins for it. */
const publicKey = z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']) }).refine((key) => !('d' in key));
const publicKeys = z.object({ keys: z.array(publicKey).min(1) });

const jwks = z.string().transform((text, context): JSONWebKeySet => {
  try {
    const keys = publicKeys.safeParse(JSON.parse(text));
    if (keys.success) return keys.data;
  } catch {
    // Said below, without the parser's words: they quote what was read.
  }
  const message =
    'must be a JSON Web Key Set: {"keys": [...]} with public RSA, EC or OKP keys and no private part';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Who can change the keys on their way can log in as anyone. */
const jwksUrl = z
  .url({ error: 'must be a URL that begins with https://' })
  .transform((text) => new URL(text))
  .refine(
    ({ protocol, hostname }) =>
      protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname)),
    'must begin with https:// (http:// is for this machine itself)',
  );

export const upstreamModes = ['passthrough', 'anonymous', 'basic', 'docker-config'] as const;
export const clientModes = ['none', 'basic', 'jwt'] as const;

/** Who asks upstream, and who may ask the proxy. How they hang together: auth-rules.ts. */
export const authFields = {
  REGSHIFT_UPSTREAM_AUTH: z
    .enum(upstreamModes, {
      error: 'must be passthrough, anonymous, basic or docker-config',
    })
    .default('passthrough'),
  REGSHIFT_UPSTREAM_USERNAME: z
    .string()
    .regex(/^[^:\p{Cc}]+$/u, 'must hold no colon (RFC 7617) and no control character')
    .optional(),
  REGSHIFT_UPSTREAM_PASSWORD: z
    .string()
    .regex(/^\P{Cc}+$/u, 'must hold no control character, like the end of a line')
    .optional(),
  REGSHIFT_DOCKER_CONFIG: dockerConfig.optional(),
  REGSHIFT_CLIENT_AUTH: z.enum(clientModes, { error: 'must be none, basic or jwt' }).optional(),
  REGSHIFT_HTPASSWD: htpasswd.optional(),
  REGSHIFT_JWKS_URL: jwksUrl.optional(),
  REGSHIFT_JWKS: jwks.optional(),
  REGSHIFT_JWT_ISSUER: z.string().optional(),
  REGSHIFT_JWT_AUDIENCE: z.string().optional(),
  /**
   * Whether clients are sent to the proxy's own /token instead of the token server that upstream names. Their
   * passwords then pass through the proxy: where its clients speak plain HTTP and can reach the token server
   * themselves, `never` keeps passwords off that wire.
   */
  REGSHIFT_TOKEN_RELAY: z.enum(['always', 'never'], { error: 'must be always or never' }).default('always'),
};
