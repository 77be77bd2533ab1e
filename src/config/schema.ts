import * as z from 'zod';
import { parsePlatform } from '../../converters/platform.ts';
import { listedParts } from '../listed-parts.ts';
import { noAliases, parseAliases } from '../routing/aliases.ts';
import { parseIpRange } from '../routing/ip-range.ts';
import { isDockerHub, registryOfDockerHub } from '../upstream/docker-hub.ts';
import { parseProxyUrl, proxyForm } from '../upstream/outbound-proxy.ts';
import { withPath } from '../upstream/with-path.ts';
import { addressFields } from './address.ts';
import { authFields } from './auth-fields.ts';
import { clientRules, noClientRules } from './client-rules.ts';
import { eventFields } from './events.ts';
import { fleetFields } from './fleet.ts';
import { byteCount, count } from './numbers.ts';
import { redactedPart } from './redacted.ts';
import { serviceFields } from './service.ts';
import { storeFields } from './store.ts';

const baseUrlForm = 'must be a URL that begins with http:// or https://, like https://registry.example';

const baseUrl = z
  .url({ protocol: /^https?$/, error: baseUrlForm })
  .transform((text) => new URL(text))
  .refine((url) => url.search === '' && url.hash === '', 'must have no query and no fragment')
  .refine(
    (url) => url.username === '' && url.password === '',
    'must hold no user name or password: they would end up in logs',
  );

/** The website of Docker Hub has an API of another kind at `/v2/`. */
const upstream = baseUrl.refine(
  ({ hostname }) => hostname !== 'hub.docker.com',
  'must be https://docker.io for Docker Hub: hub.docker.com is its website, and no registry',
);

/**
 * One registry, or several with the same content, in the order in which regshift asks them; undefined for `sample`, the
 * sample registry.
 */
const upstreams = z.string().transform((text, context): Upstreams | undefined => {
  if (text.trim() === 'sample') return undefined;
  const parts = listedParts(text);
  // A text of commas and spaces is one address, and a wrong one.
  const read = (parts.length > 0 ? parts : [text]).map((part) => upstream.safeParse(part));
  const wrong = read.flatMap(({ error }) => error?.issues ?? []);
  for (const { message } of wrong) context.addIssue({ code: 'custom', message });
  const [first, ...others] = read.flatMap(({ data }) => (data ? [data] : []));
  return wrong.length > 0 || first === undefined ? z.NEVER : [registryUrl(first), ...others.map(registryUrl)];
});

export type Upstreams = readonly [URL, ...URL[]];

/** The base of a registry. People also write the address of its API: `https://registry.example/v2/`. */
function registryUrl(url: URL): URL {
  if (isDockerHub(url)) return registryOfDockerHub;
  return withPath(url, url.pathname.replace(/\/+(v[12]\/*)?$/, '') || '/');
}

const platform = z.string().transform((text, context) => {
  const parsed = parsePlatform(text);
  if (parsed) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be os/architecture or os/architecture/variant, like linux/arm/v7',
  });
  return z.NEVER;
});

const ipRanges = z.string().transform((text, context) => {
  const parts = listedParts(text);
  return parts.flatMap((part) => {
    const range = parseIpRange(part);
    if (range) return [range];
    const message = `must be addresses or ranges like 10.0.0.0/8 or fd00::1, divided by commas; ${redactedPart('REGSHIFT_TRUSTED_PROXIES', part)} is none`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
});

const origins = z.string().transform((text, context) => {
  const parts = listedParts(text);
  return parts.flatMap((part) => {
    const url = /^https?:\/\//.test(part) && URL.canParse(part) ? new URL(part) : undefined;
    if (url?.href === `${url?.origin}/`) return [url.origin];
    const message = `must be addresses like http://registry.internal:5000 without a path, divided by commas; ${redactedPart('REGSHIFT_UPSTREAM_ALIASES', part)} is none`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
});

const outboundProxy = z.string().transform((text, context): URL | 'none' => {
  if (text.trim() === 'none') return 'none';
  const url = parseProxyUrl(text.trim());
  if (url) return url;
  context.addIssue({ code: 'custom', message: `${proxyForm}, or none` });
  return z.NEVER;
});

const certificates = z
  .string()
  .regex(/-----BEGIN CERTIFICATE-----/, 'must be one or more certificates in PEM, or a path to them');

const repositories = z.string().transform((text, context) => {
  const matcher = repositoryMatcher(text);
  if (matcher) return matcher;
  context.addIssue({
    code: 'custom',
    message: 'must be patterns with commas between them, like library/*, team/** (* is one part of a name)',
  });
  return z.NEVER;
});

const namePart = /^[a-z0-9._*-]+$/;

/**
 * Parses patterns of repository names, with commas or white space between them. `*` matches any text within one part
 * of a name, and a part `**` matches one or more parts.
 * @returns a test of a repository's name, or undefined if a pattern could match no name.
 */
export function repositoryMatcher(text: string): ((name: string) => boolean) | undefined {
  const patterns = listedParts(text);
  const parts = patterns.map((pattern) => pattern.split('/'));
  if (parts.length === 0 || !parts.every((each) => each.every(isPart))) return undefined;
  const expressions = parts.map((each) => new RegExp(`^${each.map(expressionOf).join('/')}$`));
  return (name) => expressions.some((expression) => expression.test(name));
}

function isPart(text: string): boolean {
  return text === '**' || (namePart.test(text) && !text.includes('**'));
}

function expressionOf(text: string): string {
  if (text === '**') return '.+';
  return text.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*');
}

const aliases = z.string().transform((text, context) => {
  const parsed = parseAliases(text);
  if (!('problems' in parsed)) return parsed;
  const form = 'must be pairs like short/name=real/long/name with commas between them';
  const problems = redactedPart('REGSHIFT_ALIASES', text).startsWith('"')
    ? `: ${parsed.problems.join('; ')}`
    : '';
  context.addIssue({ code: 'custom', message: `${form}${problems}` });
  return z.NEVER;
});

/** The schema of all variables: the only place that knows their names, defaults and valid values. */
export const schema = z.object({
  ...addressFields,
  REGSHIFT_UPSTREAM: upstreams.optional(),
  REGSHIFT_MIRROR_MISS: z.enum(['stop', 'next'], { error: 'must be stop or next' }).default('stop'),
  REGSHIFT_UPSTREAM_ALIASES: origins.default([]),
  REGSHIFT_UPSTREAM_NETWORKS: ipRanges.default([]),
  REGSHIFT_UPSTREAM_PROXY: outboundProxy.optional(),
  REGSHIFT_UPSTREAM_TIMEOUT: count('seconds', 86_400, 1).default(300),
  REGSHIFT_UPSTREAM_CA: certificates.optional(),
  REGSHIFT_UPSTREAM_CERT: certificates.optional(),
  REGSHIFT_UPSTREAM_KEY: z
    .string()
    .regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'must be a private key in PEM')
    .optional(),
  REGSHIFT_UPSTREAM_INSECURE: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  REGSHIFT_CONFIG: z.string().optional(),
  REGSHIFT_FORMAT: z
    .enum(['auto', 'schema1', 'schema2', 'oci', 'generic'], {
      error: 'must be auto, schema1, schema2, oci or generic',
    })
    .default('auto'),
  REGSHIFT_PLATFORM: platform.default({ os: 'linux', architecture: 'amd64' }),
  ...authFields,
  REGSHIFT_PUBLIC_URL: baseUrl.optional(),
  REGSHIFT_TRUSTED_PROXIES: ipRanges.default([]),
  REGSHIFT_SIGNING_KEY: z.string().min(1).optional(),
  ...fleetFields,
  REGSHIFT_TAG_TTL: count('seconds', 86_400).default(30),
  REGSHIFT_STALE: count('seconds', 604_800).default(3600),
  REGSHIFT_CACHE_BYTES: byteCount().optional(),
  REGSHIFT_BLOBS: z.enum(['stream', 'redirect'], { error: 'must be stream or redirect' }).default('stream'),
  /**
   * The default is `allow` if each client uses its own login at upstream, and `refuse` if the proxy uses one for all.
   */
  REGSHIFT_PUSH: z.enum(['allow', 'refuse'], { error: 'must be allow or refuse' }).optional(),
  REGSHIFT_PUSH_FORMAT: z
    .enum(['auto', 'asis', 'schema2', 'oci'], { error: 'must be auto, asis, schema2 or oci' })
    .default('auto'),
  REGSHIFT_PUSH_LOSSES: z.enum(['allow', 'refuse'], { error: 'must be allow or refuse' }).default('allow'),
  REGSHIFT_LISTS: z.enum(['auto', 'full', 'one'], { error: 'must be auto, full or one' }).default('auto'),
  REGSHIFT_INDEX: z.enum(['keep', 'one'], { error: 'must be keep or one' }).default('keep'),
  REGSHIFT_ATTESTATIONS: z.enum(['keep', 'drop'], { error: 'must be keep or drop' }).default('keep'),
  REGSHIFT_LAYERS: z.enum(['auto', 'plain'], { error: 'must be auto or plain' }).default('auto'),
  REGSHIFT_CLIENTS: clientRules.default(noClientRules),
  REGSHIFT_CORS: z
    .enum(['auto', 'registry', 'never'], { error: 'must be auto, registry or never' })
    .default('auto'),
  REGSHIFT_REPOSITORIES: repositories.optional(),
  REGSHIFT_ALIASES: aliases.default(noAliases),
  REGSHIFT_V1_TAGS: count('tags', 10_000).optional(),
  REGSHIFT_SUBREQUESTS: count('requests', 1_000_000, 20).optional(),
  REGSHIFT_MEASURE_DEADLINE: count('seconds', 3600).default(45),
  REGSHIFT_LAYER_BYTES: byteCount().optional(),
  REGSHIFT_UNSIGNED_SCHEMA1: z
    .enum(['accept', 'refuse'], { error: 'must be accept or refuse' })
    .default('accept'),
  REGSHIFT_WALK_TAGS: count('tags', 100_000).default(500),
  REGSHIFT_WALK_GETS: count('images', 1000).optional(),
  REGSHIFT_CONVERT_BY_DIGEST: z
    .enum(['never', 'always'], { error: 'must be never or always' })
    .default('never'),
  ...storeFields,
  ...eventFields,
  ...serviceFields,
});

export type Values = z.output<typeof schema>;

export type Variable = keyof Values;

/** The names of all variables. */
export const variables = Object.keys(schema.shape) as Variable[];

/** The settings of the way to a registry. The commands read them, too. */
export const wayVariables = [
  'REGSHIFT_UPSTREAM_NETWORKS',
  'REGSHIFT_UPSTREAM_PROXY',
  'REGSHIFT_UPSTREAM_TIMEOUT',
  'REGSHIFT_UPSTREAM_CA',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_UPSTREAM_KEY',
  'REGSHIFT_UPSTREAM_INSECURE',
] as const satisfies readonly Variable[];

/** The settings that may differ between routes. All others apply to the whole program. */
export const routeVariables: ReadonlySet<Variable> = new Set([
  ...(Object.keys(authFields) as (keyof typeof authFields)[]),
  'REGSHIFT_UPSTREAM',
  'REGSHIFT_MIRROR_MISS',
  'REGSHIFT_UPSTREAM_ALIASES',
  ...wayVariables,
  'REGSHIFT_FORMAT',
  'REGSHIFT_PLATFORM',
  'REGSHIFT_PUBLIC_URL',
  'REGSHIFT_TAG_TTL',
  'REGSHIFT_STALE',
  'REGSHIFT_BLOBS',
  'REGSHIFT_PUSH',
  'REGSHIFT_PUSH_FORMAT',
  'REGSHIFT_PUSH_LOSSES',
  'REGSHIFT_LISTS',
  'REGSHIFT_CORS',
  'REGSHIFT_INDEX',
  'REGSHIFT_ATTESTATIONS',
  'REGSHIFT_LAYERS',
  'REGSHIFT_CLIENTS',
  'REGSHIFT_REPOSITORIES',
  'REGSHIFT_ALIASES',
  'REGSHIFT_V1_TAGS',
  'REGSHIFT_MEASURE_DEADLINE',
  'REGSHIFT_UNSIGNED_SCHEMA1',
  'REGSHIFT_WALK_TAGS',
  'REGSHIFT_WALK_GETS',
  'REGSHIFT_CONVERT_BY_DIGEST',
  'REGSHIFT_STORE_BLOBS',
  'REGSHIFT_WARM',
] as const);
