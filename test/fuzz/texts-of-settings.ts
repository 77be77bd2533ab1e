import { parseGoogleKey } from '../../src/auth/clouds/google-key.ts';
import { formatProblems } from '../../src/config/problem.ts';
import { parseRedisAddress } from '../../src/config/redis-address.ts';
import { readSettings, settingNames } from '../../src/config/settings.ts';
import { parseStoreAddress } from '../../src/config/store.ts';
import { parseAliases } from '../../src/routing/aliases.ts';
import { isInRanges, parseIpRange } from '../../src/routing/ip-range.ts';
import { loadYamlParser } from '../../src/runtime/node/files.ts';
import { parseProxyUrl } from '../../src/upstream/outbound-proxy.ts';
import { testApp } from '../support/app.ts';
import { generateJson, type Vocabulary } from './generate.ts';

import { hold, type TextTarget } from './text-target.ts';

const parseYaml = await loadYamlParser();

const secret = 'hunter-secret-9e1';

const files = [
  {
    upstreamAuth: 'anonymous',
    routes: [
      { match: { path: 'hub/', ns: 'docker.io' }, upstream: ['https://mirror.test', 'https://docker.io'] },
      { match: { path: 'quay/', alias: { 'tools/build': 'team/tools/build' } }, upstream: 'https://quay.io' },
      {
        match: { host: 'images.test' },
        upstream: 'https://registry.test',
        upstreamAuth: 'passthrough',
        format: 'schema2',
        clients: [{ match: { userAgent: 'curl/*', network: '10.0.0.0/8' }, lacks: ['zstd'] }],
      },
      {
        match: { port: [5001, 5002] },
        upstream: 'https://private.test',
        upstreamAuth: 'basic',
        upstreamUsername: 'puller',
        upstreamPassword: secret,
        clientAuth: 'none',
      },
    ],
  },
  {
    upstream: 'https://registry.test',
    tagTtl: 30,
    stale: 3600,
    cacheBytes: 67108864,
    repositories: ['team/**', '!team/secret'],
    trustedProxies: ['10.0.0.0/8'],
    lists: 'auto',
    platform: 'linux/arm/v7',
    redisUrl: `redis://user:${secret}@redis.test:6379`,
    eventsSecret: secret,
    store: 's3://bucket/prefix?region=eu-central-1',
    warm: 'docker-1.9, docker-1.13',
    push: 'refuse',
    logLevel: 'debug',
  },
];

const words: Vocabulary = {
  keys: [
    ...settingNames.map((name) =>
      name
        .replace('REGSHIFT_', '')
        .toLowerCase()
        .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    ),
    ...[
      'routes',
      'match',
      'host',
      'port',
      'path',
      'ns',
      'alias',
      'userAgent',
      'network',
      'lacks',
      'platform',
    ],
    ...['format', '$schema', '__proto__', 'constructor', 'toString', '', 'upstreamPasswordFile', 'Upstream'],
  ],
  scalars: [
    ...[null, true, false, 0, 1, -1, 1.5, 30, 65_535, 65_536, 1e21, 2 ** 53, '', ' ', '0', 'true', 'auto'],
    ...[
      'https://registry.test',
      'http://[::1]:5000',
      'https://a.test,https://b.test',
      'registry.test',
      '//x',
    ],
    ...[
      'https://u:p@registry.test',
      'sample',
      'file:///tmp/x',
      's3://b',
      'redis://a:1',
      'redis-sentinel://a,b/m',
    ],
    ...[
      'anonymous',
      'passthrough',
      'basic',
      'docker-config',
      'none',
      'jwt',
      'schema1',
      'schema2',
      'oci',
      'generic',
    ],
    ...[
      'hub/',
      'a',
      'A/',
      '../x',
      'docker.io',
      '10.0.0.0/8',
      'fd00::/8',
      '::ffff:1.2.3.4/120',
      'curl/*',
      '*',
    ],
    ...['linux/amd64', 'a=b', 'a/b=c/d', 'docker-1.9', 'zstd', 'lists', '{}', '[]', '\u0000', '\ud800'],
    ...['-----BEGIN PRIVATE KEY-----', '/etc/passwd', 'constructor', '9'.repeat(30), `x${'y'.repeat(300)}`],
  ],
};

/** The settings whose value no message may show. */
const secretSettings = /^(?:REGSHIFT_)?(?:upstreamPassword|redisUrl|eventsSecret|REDIS_URL)$/;

/** Whether a change has moved the secret to a setting that is none. */
function isPublic(variables: Record<string, string>, parse: (text: string) => unknown): boolean {
  const holders = Object.entries(variables).flatMap(([name, value]) =>
    name === 'REGSHIFT_CONFIG' ? holdersOf(value, parse) : `${name}=${value}`.includes(secret) ? [name] : [],
  );
  return holders.some((name) => !secretSettings.test(name));
}

/** The names of the members with the secret in their name or value; none for a text that is no document. */
function holdersOf(text: string, parse: (text: string) => unknown): string[] {
  try {
    const found: string[] = [];
    JSON.stringify(parse(text), function (this: object, key, value) {
      if (key.includes(secret)) found.push(`the name ${key}`);
      if (typeof value === 'string' && value.includes(secret)) found.push(key);
      return value;
    });
    return found;
  } catch {
    return [];
  }
}

/** Checks the problems of settings, or starts the program with them. @returns the settings with problems. */
async function judge(
  variables: Record<string, string>,
  parse: (text: string) => unknown = JSON.parse,
): Promise<string> {
  const read = readSettings(variables, undefined, parse);
  if ('problems' in read) {
    hold(read.problems.length > 0, 'a problem');
    const text = formatProblems(read.problems);
    hold(isPublic(variables, parse) || !text.includes(secret), 'that no problem shows a secret');
    hold(!/\[object|\bundefined\b|native code/.test(text), `words for people: ${text}`);
    for (const { variable, message } of read.problems)
      hold(variable !== '' && message.trim() !== '', 'a setting and a sentence');
    return read.problems
      .map(({ message }) => message.replace(/\W.*$/s, '') + message.length)
      .toSorted()
      .slice(0, 3)
      .join();
  }
  if (parse !== JSON.parse) return 'right';
  const answer = await testApp(variables, async () => new Response(null, { status: 404 })).get('/healthz');
  hold(answer.status === 200, 'that a program with right settings is alive');
  return 'right';
}

/** Settings that a test of the program cannot have: a real network, or files. */
const needsOthers = new Set(['REGSHIFT_CONFIG']);

export const settingTargets: Readonly<Record<string, TextTarget>> = {
  settingsfile: {
    seeds: files.map((file) => JSON.stringify(file)),
    generate: generateJson(words),
    check: (text) => judge({ REGSHIFT_CONFIG: text }),
  },

  settingsyaml: {
    seeds: [
      'upstream: https://registry.test\ntagTtl: 3 # seconds\n',
      'routes:\n  - match: { path: hub/ }\n    upstream: [https://a.test, https://b.test]\n    upstreamAuth: anonymous\n',
      `a: &x [*x]\nupstreamPassword: ${secret}\n`,
      'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n',
      '---\n? complex\n: !!binary aGk=\n...\n',
      'eventsSecret: |\n  line\n  line\n',
      '%YAML 1.1\n---\nstale: 0x1F\nyes: no\n',
    ],
    // The parser takes a while for each of the thousands of errors in a long text of noise.
    check: (text) => (text.length > 4_000 ? undefined : judge({ REGSHIFT_CONFIG: text }, parseYaml)),
  },

  variable: {
    seeds: [
      ...settingNames.map((name) => `${name}=1`),
      'REGSHIFT_UPSTREAM=https://registry.test,https://mirror.test',
      'REGSHIFT_UPSTREAM=https://registry.test//mirror.test]x/v2/',
      'REGSHIFT_REPOSITORIES=team/** !team/secret',
      'REGSHIFT_TRUSTED_PROXIES=10.0.0.0/8,::1',
      'REGSHIFT_ALIASES=a=b/c/d',
      'REGSHIFT_UPSTREAM_NETWORKS=private',
      'REGSHIFT_PLATFORM=linux/arm/v7',
      `REGSHIFT_REDIS_URL=redis://:${secret}@a.test`,
      'REGSHIFT_WARM=docker-1.9, docker-1.13',
    ],
    check(text) {
      const at = text.indexOf('=');
      const name = text.slice(0, at);
      if (at < 1 || needsOthers.has(name)) return undefined;
      return judge({ REGSHIFT_UPSTREAM: 'https://registry.test', [name]: text.slice(at + 1) });
    },
  },

  clientrules: {
    seeds: [
      '[{"match":{"userAgent":"python-requests/*"},"format":"schema2"}]',
      '[{"match":{"network":["10.1.0.0/16","fd00::/64"]},"lacks":["zstd","lists"],"platform":"linux/arm/v7"}]',
      '[{',
      '[{"match":{"userAgent":"***a***","network":"0.0.0.0/0"},"format":"oci"}]',
    ],
    generate: generateJson(words),
    async check(text) {
      const variables = { REGSHIFT_UPSTREAM: 'https://registry.test', REGSHIFT_CLIENTS: text };
      const way = await judge(variables);
      if (way !== 'right') return way;
      const app = testApp({ REGSHIFT_CLIENTS: text, REGSHIFT_UPSTREAM: 'sample' });
      const headers = { 'user-agent': 'docker/1.13.1', accept: '*/*' };
      const { status } = await app.send('GET', '/v2/sample/oci/manifests/latest', headers, {
        clientAddress: '10.1.2.3',
      });
      hold(status < 500, 'a status below 500');
      return `right ${status}`;
    },
  },

  address: {
    seeds: [
      `redis://user:${secret}@redis.test:6379/0`,
      'rediss://a.test',
      'redis-sentinel://s1.test:26379,s2.test/my-master',
      'redis-cluster://a.test:1,b.test:2',
      'file:///var/lib/regshift',
      's3://bucket/prefix?region=eu-central-1&endpoint=https://minio.test:9000',
      'http://user:pass@proxy.test:3128',
      'http://[::1]:3128/x',
      '10.0.0.0/8',
      '::ffff:10.0.0.0/104',
      'fe80::%eth0/64',
    ],
    check(text) {
      const redis = parseRedisAddress(text);
      hold(!('problem' in redis) || !redis.problem.includes(secret), 'that no problem shows a secret');
      const store = parseStoreAddress(text);
      hold(!('problem' in store) || store.problem.trim() !== '', 'a problem');
      const proxy = parseProxyUrl(text);
      hold(proxy === undefined || /^https?:$/.test(proxy.protocol), 'an HTTP proxy');
      const range = parseIpRange(text);
      if (range) hold(typeof isInRanges([range], '10.1.2.3') === 'boolean', 'a range');
      hold(typeof isInRanges([], text) === 'boolean', 'an address in no range');
      return [redis, store].map((each) => Object.keys(each).join()).join(' ') + (range ? ' range' : '');
    },
  },

  aliases: {
    seeds: ['tools/build=team/tools/build', 'a=b c=d,e=f', 'a=a', 'a=b,b=c', '=', 'a=b=c'],
    check(text) {
      const aliases = parseAliases(text);
      if ('problems' in aliases) {
        hold(aliases.problems.length > 0, 'a problem');
        return 'wrong';
      }
      for (const alias of aliases.all)
        hold(aliases.realName(aliases.realName(alias)) === aliases.realName(alias), 'one step');
      return 'right';
    },
  },

  googlekey: {
    seeds: [
      '{"type":"service_account","client_email":"a@b.test","private_key":"-----BEGIN PRIVATE KEY-----\\nx\\n-----END PRIVATE KEY-----","token_uri":"https://oauth2.googleapis.com/token"}',
      '{}',
      '[]',
      'null',
    ],
    check: (text) => (parseGoogleKey(text) ? 'right' : 'wrong'),
  },
};
