import * as z from 'zod/mini';
import { readPlatform } from '../../converters/platform.ts';
import { listedParts } from '../listed-parts.ts';
import { noAliases, parseAliases } from '../routing/aliases.ts';
import { parseIpRange } from '../routing/ip-range.ts';
import { isDockerHub, registryOfDockerHub } from '../upstream/docker-hub.ts';
import { parseProxyUrl, proxyForm } from '../upstream/outbound-proxy.ts';
import { withPath } from '../upstream/with-path.ts';
import { addressFields } from './address.ts';
import { authFields } from './auth-fields.ts';
import { clientRules, formats, noClientRules } from './client-rules.ts';
import { eventFields } from './events.ts';
import { fleetFields } from './fleet.ts';
import { byteCount, count, port } from './numbers.ts';
import { filled, readText } from './read-text.ts';
import { redactedPart } from './redacted.ts';
import { storeFields } from './store.ts';

const baseUrlForm = 'must be a URL that begins with http:// or https://, like https://registry.example';

const baseUrl = z
  .pipe(
    z.url({ protocol: /^https?$/, error: baseUrlForm }),
    z.transform((text) => new URL(text)),
  )
  .check(
    z.refine((url) => url.search === '' && url.hash === '', 'must have no query and no fragment'),
    z.refine(
      (url) => url.username === '' && url.password === '',
      'must hold no user name or password: they would end up in logs',
    ),
  );

/** The website of Docker Hub has an API of another kind at `/v2/`. */
const upstream = baseUrl.check(
  z.refine(
    ({ hostname }) => hostname !== 'hub.docker.com',
    'must be https://docker.io for Docker Hub: hub.docker.com is its website, and no registry',
  ),
);

/**
 * One registry, or several with the same content, in the order in which regshift asks them; undefined for `sample`, the
 * sample registry.
 */
const upstreams = readText((text, refuse): Upstreams | undefined => {
  if (text.trim() === 'sample') return undefined;
  const parts = listedParts(text);
  // A text of commas and spaces is one address, and a wrong one.
  const read = (parts.length > 0 ? parts : [text]).map((part) => upstream.safeParse(part));
  const wrong = read.flatMap(({ error }) => error?.issues ?? []);
  for (const { message } of wrong) refuse(message);
  const [first, ...others] = read.flatMap(({ data }) => (data ? [data] : []));
  return wrong.length > 0 || first === undefined ? z.NEVER : [registryUrl(first), ...others.map(registryUrl)];
});

export type Upstreams = readonly [URL, ...URL[]];

/** The base of a registry. People also write the address of its API: `https://registry.example/v2/`. */
function registryUrl(url: URL): URL {
  if (isDockerHub(url)) return registryOfDockerHub;
  return withPath(url, url.pathname.replace(/\/+(v[12]\/*)?$/, '') || '/');
}

const platform = readText(
  (text, refuse) =>
    readPlatform(text) ?? refuse('must be os/architecture or os/architecture/variant, like linux/arm/v7'),
);

const ipRanges = readText((text, refuse) => {
  const parts = listedParts(text);
  return parts.flatMap((part) => {
    const range = parseIpRange(part);
    if (range) return [range];
    refuse(
      `must be addresses or ranges like 10.0.0.0/8 or fd00::1, divided by commas; ${redactedPart('REGSHIFT_TRUSTED_PROXIES', part)} is none`,
    );
    return [];
  });
});

const origins = readText((text, refuse) => {
  const parts = listedParts(text);
  return parts.flatMap((part) => {
    const url = /^https?:\/\//.test(part) ? URL.parse(part) : undefined;
    if (url?.href === `${url?.origin}/`) return [url.origin];
    refuse(
      `must be addresses like http://registry.internal:5000 without a path, divided by commas; ${redactedPart('REGSHIFT_UPSTREAM_ALIASES', part)} is none`,
    );
    return [];
  });
});

const outboundProxy = readText((text, refuse): URL | 'none' => {
  if (text.trim() === 'none') return 'none';
  return parseProxyUrl(text.trim()) ?? refuse(`${proxyForm}, or none`);
});

const certificates = z
  .string()
  .check(
    z.regex(/-----BEGIN CERTIFICATE-----/, 'must be one or more certificates in PEM, or a path to them'),
  );

const privateKey = z
  .string()
  .check(z.regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'must be a private key in PEM'));

const repositories = readText(
  (text, refuse) =>
    repositoryMatcher(text) ??
    refuse('must be patterns with commas between them, like library/*, team/** (* is one part of a name)'),
);

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

const aliases = readText((text, refuse) => {
  const parsed = parseAliases(text);
  if (!('problems' in parsed)) return parsed;
  const form = 'must be pairs like short/name=real/long/name with commas between them';
  const problems = redactedPart('REGSHIFT_ALIASES', text).startsWith('"')
    ? `: ${parsed.problems.join('; ')}`
    : '';
  return refuse(`${form}${problems}`);
});

/**
 * The schema of all variables: the only place that knows their names, defaults and valid values. Each rule has a message
 * of its own, because zod/mini has none to show.
 */
export const schema = z.object({
  ...addressFields,
  REGSHIFT_UPSTREAM: z.optional(upstreams),
  REGSHIFT_MIRROR_MISS: z._default(z.enum(['stop', 'next'], 'must be stop or next'), 'stop'),
  REGSHIFT_UPSTREAM_ALIASES: z._default(origins, []),
  REGSHIFT_UPSTREAM_NETWORKS: z._default(ipRanges, []),
  REGSHIFT_UPSTREAM_PROXY: z.optional(outboundProxy),
  REGSHIFT_UPSTREAM_TIMEOUT: z._default(count('seconds', 86_400, 1), 300),
  REGSHIFT_UPSTREAM_CA: z.optional(certificates),
  REGSHIFT_UPSTREAM_CERT: z.optional(certificates),
  REGSHIFT_UPSTREAM_KEY: z.optional(privateKey),
  REGSHIFT_UPSTREAM_INSECURE: z._default(z.enum(['true', 'false'], 'must be true or false'), 'false'),
  REGSHIFT_CONFIG: z.optional(z.string()),
  REGSHIFT_FORMAT: z._default(z.enum(formats, 'must be auto, schema1, schema2, oci or generic'), 'auto'),
  REGSHIFT_PLATFORM: z._default(platform, { os: 'linux', architecture: 'amd64' }),
  ...authFields,
  REGSHIFT_PUBLIC_URL: z.optional(baseUrl),
  REGSHIFT_TRUSTED_PROXIES: z._default(ipRanges, []),
  REGSHIFT_SIGNING_KEY: z.optional(filled),
  ...fleetFields,
  REGSHIFT_TAG_TTL: z._default(count('seconds', 86_400), 30),
  REGSHIFT_STALE: z._default(count('seconds', 604_800), 3600),
  REGSHIFT_CACHE_BYTES: z.optional(byteCount()),
  REGSHIFT_BLOBS: z._default(z.enum(['stream', 'redirect'], 'must be stream or redirect'), 'stream'),
  /**
   * The default is `allow` if each client uses its own login at upstream, and `refuse` if the proxy uses one for all.
   */
  REGSHIFT_PUSH: z.optional(z.enum(['allow', 'refuse'], 'must be allow or refuse')),
  REGSHIFT_PUSH_FORMAT: z._default(
    z.enum(['auto', 'asis', 'schema2', 'oci'], 'must be auto, asis, schema2 or oci'),
    'auto',
  ),
  REGSHIFT_PUSH_LOSSES: z._default(z.enum(['allow', 'refuse'], 'must be allow or refuse'), 'allow'),
  REGSHIFT_LISTS: z._default(z.enum(['auto', 'full', 'one'], 'must be auto, full or one'), 'auto'),
  REGSHIFT_INDEX: z._default(z.enum(['keep', 'one'], 'must be keep or one'), 'keep'),
  REGSHIFT_ATTESTATIONS: z._default(z.enum(['keep', 'drop'], 'must be keep or drop'), 'keep'),
  REGSHIFT_LAYERS: z._default(z.enum(['auto', 'plain'], 'must be auto or plain'), 'auto'),
  REGSHIFT_CLIENTS: z._default(clientRules, noClientRules),
  REGSHIFT_CORS: z._default(z.enum(['auto', 'registry', 'never'], 'must be auto, registry or never'), 'auto'),
  REGSHIFT_REPOSITORIES: z.optional(repositories),
  REGSHIFT_ALIASES: z._default(aliases, noAliases),
  REGSHIFT_V1_TAGS: z.optional(count('tags', 10_000)),
  REGSHIFT_SUBREQUESTS: z.optional(count('requests', 1_000_000, 20)),
  REGSHIFT_MEASURE_DEADLINE: z._default(count('seconds', 3600), 45),
  REGSHIFT_LAYER_BYTES: z.optional(byteCount()),
  REGSHIFT_UNSIGNED_SCHEMA1: z._default(z.enum(['accept', 'refuse'], 'must be accept or refuse'), 'accept'),
  REGSHIFT_WALK_TAGS: z._default(count('tags', 100_000), 500),
  REGSHIFT_WALK_GETS: z.optional(count('images', 1000)),
  REGSHIFT_CONVERT_BY_DIGEST: z._default(z.enum(['never', 'always'], 'must be never or always'), 'never'),
  ...storeFields,
  ...eventFields,
  // Running and monitoring the program. None of these changes the content that a client gets.
  REGSHIFT_TLS_CERT: z.optional(filled),
  REGSHIFT_TLS_KEY: z.optional(filled),
  REGSHIFT_METRICS_PORT: z.optional(port),
  REGSHIFT_PAGE: z._default(z.enum(['on', 'off', 'status'], 'must be on, off or status'), 'on'),
  REGSHIFT_MAX_REQUESTS: z.optional(count('requests', 1_000_000, 1)),
  REGSHIFT_SHUTDOWN_GRACE: z._default(count('seconds', 300), 3),
  REGSHIFT_SHUTDOWN_DEADLINE: z._default(count('seconds', 3600), 30),
  LOG_LEVEL: z._default(
    z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
    'info',
  ),
  LOG_FORMAT: z._default(z.enum(['auto', 'json', 'text'], 'must be auto, json or text'), 'auto'),
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
