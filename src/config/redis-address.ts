import { bareHost } from '../bare-host.ts';

/** A host and a port. An IPv6 address has no brackets. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** A user and a password, decoded. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

/** The servers that hold the entries. */
export type RedisAddress =
  | { readonly topology: 'single'; readonly url: URL }
  | {
      readonly topology: 'sentinel';
      /** The Sentinels; the master is known only to them. */
      readonly nodes: readonly RedisNode[];
      readonly tls: boolean;
      /** The name by which the Sentinels watch the master. */
      readonly master: string;
      readonly database: number;
      /** For the master. */
      readonly login: RedisLogin;
      /** For the Sentinels. */
      readonly sentinelLogin: RedisLogin;
    }
  | {
      readonly topology: 'cluster';
      /** Some of the cluster's nodes, which name the others. */
      readonly nodes: readonly RedisNode[];
      readonly tls: boolean;
      readonly login: RedisLogin;
    };

/** The end of a sentence about REGSHIFT_REDIS_URL. */
export const redisForm =
  'must be like redis://127.0.0.1:6379/0, rediss://user:password@redis.example:6380 for TLS, ' +
  'redis-sentinel://one.example:26379,two.example:26379/0?sentinelMasterId=mymaster, ' +
  'or redis-cluster://one.example:6379,two.example:6379';
const several =
  'must have one host and port, or begin with redis-sentinel:// or redis-cluster:// (rediss-… for TLS)';
const noMaster =
  'must name the master as the Sentinels do, like redis-sentinel://one.example,two.example/0?sentinelMasterId=mymaster';
const noDatabase = 'must have no path and no query, because a cluster has only database 0';
const otherQuery = 'must have no query other than sentinelMasterId, sentinelUsername and sentinelPassword';

/** Ports without a port in the address: of redis-server, and of redis-sentinel (sentinel.conf). */
const defaultPort = { cluster: 6379, sentinel: 26_379 } as const;

const severalHosts =
  /^(?<secure>rediss?)[-+](?<topology>sentinel|cluster):\/\/(?:(?<userinfo>[^/?#]*)@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?(?<query>\?[^#]*)?(?<fragment>#.*)?$/i;

/**
 * Parses the value of REGSHIFT_REDIS_URL. Sentinels have the form that Lettuce documents ("Redis URI and connection
 * details"): `redis-sentinel://[[user:]password@]host[:port],…[/database]?sentinelMasterId=name`. Forms of other
 * programs mean the same: `#name` (Lettuce), `?master_name=name` (Celery, go-redis), and `redis+sentinel://…/name/database`
 * (Harbor, redis-sentinel-url). A cluster is `redis-cluster://` or `redis+cluster://` (limits), and `rediss` means TLS.
 * @returns a problem as text for a wrong address. It quotes nothing, because the address holds passwords.
 */
export function parseRedisAddress(text: string): RedisAddress | { readonly problem: string } {
  if (!isDecodable(text)) return { problem: redisForm };
  const parts = severalHosts.exec(text)?.groups;
  if (parts === undefined) return parseSingle(text);
  const topology = parts.topology?.toLowerCase() === 'sentinel' ? 'sentinel' : 'cluster';
  const nodes = (parts.hosts ?? '').split(',').map((host) => parseNode(host, defaultPort[topology]));
  const login = parseLogin(parts.userinfo);
  if (!nodes.every((node) => node !== undefined)) return { problem: redisForm };
  const common = { nodes, tls: parts.secure?.toLowerCase() === 'rediss', login };
  const { path = '', query = '', fragment = '' } = parts;
  if (topology === 'sentinel') return parseSentinel(common, path, query, fragment);
  const isWhole = ['', '/', '/0'].includes(path) && query + fragment === '';
  return isWhole ? { topology, ...common } : { problem: noDatabase };
}

function parseSingle(text: string): RedisAddress | { readonly problem: string } {
  if (/^rediss?:\/\/.*,/i.test(text) && !URL.canParse(text)) return { problem: several };
  if (!URL.canParse(text)) return { problem: redisForm };
  const url = new URL(text);
  const { protocol, hostname, pathname, search, hash } = url;
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '' || search + hash !== '')
    return { problem: redisForm };
  if (hostname.includes(',')) return { problem: several };
  return /^\/?\d{0,5}$/.test(pathname) ? { topology: 'single', url } : { problem: redisForm };
}

interface Common {
  readonly nodes: readonly RedisNode[];
  readonly tls: boolean;
  readonly login: RedisLogin;
}

const masterKeys = ['sentinelMasterId', 'master', 'master_name'];
const userKeys = ['sentinelUsername', 'sentinel_username'];
const passwordKeys = ['sentinelPassword', 'sentinel_password'];

function parseSentinel(
  common: Common,
  path: string,
  query: string,
  fragment: string,
): RedisAddress | { readonly problem: string } {
  // A plus is a plus in a password; URLSearchParams would read a space.
  const values = new URLSearchParams(query.replaceAll('+', '%2B'));
  const known = [...masterKeys, ...userKeys, ...passwordKeys];
  if ([...values.keys()].some((key) => !known.includes(key))) return { problem: otherQuery };
  const first = (keys: readonly string[]) => keys.map((key) => values.get(key)).find(Boolean) ?? undefined;

  const segments = path.split('/').slice(1).map(decodeURIComponent);
  const isDatabase = (segment: string | undefined) => /^\d{0,5}$/.test(segment ?? '');
  const name = isDatabase(segments[0]) ? undefined : segments.shift();
  const [database = '', ...rest] = segments;
  if (!isDatabase(database) || rest.join('') !== '') return { problem: redisForm };
  const master = first(masterKeys) ?? (decodeURIComponent(fragment.slice(1)) || name);
  if (master === undefined) return { problem: noMaster };
  const sentinelLogin = loginOf(first(userKeys), first(passwordKeys));
  return { topology: 'sentinel', ...common, master, database: Number(database), sentinelLogin };
}

function parseNode(text: string, defaultPort: number): RedisNode | undefined {
  const form = `redis://${text}`;
  if (!URL.canParse(form)) return undefined;
  const url = new URL(form);
  const host = bareHost(url);
  return host === '' ? undefined : { host, port: url.port === '' ? defaultPort : Number(url.port) };
}

/** Lettuce's form has a password alone; elsewhere a colon precedes it. */
function parseLogin(userinfo = ''): RedisLogin {
  const colon = userinfo.indexOf(':');
  if (colon < 0) return loginOf(undefined, decodeURIComponent(userinfo));
  return loginOf(decodeURIComponent(userinfo.slice(0, colon)), decodeURIComponent(userinfo.slice(colon + 1)));
}

function loginOf(username = '', password = ''): RedisLogin {
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

/** False for text with a % that begins no escape; a password may contain one. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
