import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentSchema, matchSchema } from '../../../src/config/document.ts';
import { keyOf } from '../../../src/config/keys.ts';
import { formatProblems } from '../../../src/config/problem.ts';
import { variables as settingNames } from '../../../src/config/schema.ts';
import { fileVariables, UnreadableFileError } from '../../../src/config/setting-files.ts';
import { readSettings } from '../../../src/config/settings.ts';
import { nearest } from '../../../src/edit-distance.ts';
import { loadYamlParser } from '../../../src/runtime/node/files.ts';
import { configSchema } from '../../support/config-schema.ts';
import { testSigningKey } from '../../support/signing-key.ts';

const parseYaml = await loadYamlParser();

const root = join(import.meta.dirname, '../../..');
const htpasswd = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';

type Files = Readonly<Record<string, string>>;

function read(yaml: string, files: Files = {}, variables: Record<string, string> = {}) {
  const all: Files = { '/etc/regshift.yaml': yaml, ...files };
  const readFile = (path: string, beside?: string) => {
    const text = all[path.startsWith('/') || beside === undefined ? path : `/etc/${path}`];
    if (text === undefined) throw new UnreadableFileError(undefined, 'ENOENT');
    return text;
  };
  return readSettings({ REGSHIFT_CONFIG: '/etc/regshift.yaml', ...variables }, readFile, parseYaml);
}

function settingsOf(...given: Parameters<typeof read>) {
  const settings = read(...given);
  if ('problems' in settings) throw new Error(formatProblems(settings.problems));
  return settings.settings;
}

function linesOf(settings: ReturnType<typeof read>) {
  return 'problems' in settings ? formatProblems(settings.problems).split('\n') : [];
}

/** The problems without the path of the file. */
function problemsOf(...given: Parameters<typeof read>) {
  return linesOf(read(...given)).map((line) => line.replace(' in /etc/regshift.yaml', ''));
}

const noHost =
  'it must be a host name, an IPv4 or [IPv6] address, with or without :port up to 65535, or a list of such';

describe('a key of a file', () => {
  it.each([
    ['REGSHIFT_TAG_TTL', 'tagTtl'],
    ['REGSHIFT_UNSIGNED_SCHEMA1', 'unsignedSchema1'],
    ['REGSHIFT_V1_TAGS', 'v1Tags'],
    ['LOG_LEVEL', 'logLevel'],
    ['PORT', 'port'],
  ])('for %s is %s', (variable, key) => expect(keyOf(variable)).toBe(key));

  it('is of one variable alone', () => {
    expect(new Set(settingNames.map(keyOf)).size).toBe(settingNames.length);
  });
});

describe('a file means the same as variables', () => {
  const same: readonly [variables: Record<string, string>, yaml: string][] = [
    [{ HOST: '::1', PORT: '0', LOG_LEVEL: 'warn' }, 'host: "::1"\nport: 0\nlogLevel: warn'],
    [
      { REGSHIFT_UPSTREAM: 'https://a.test,https://b.test', REGSHIFT_UPSTREAM_AUTH: 'anonymous' },
      'upstream: [https://a.test, https://b.test]\nupstreamAuth: anonymous',
    ],
    [{ REGSHIFT_UPSTREAM: 'https://docker.io' }, 'upstream: https://registry-1.docker.io'],
    [
      { REGSHIFT_FORMAT: 'schema1', REGSHIFT_PLATFORM: 'linux/arm/v7' },
      'format: schema1\nplatform: linux/arm/v7',
    ],
    [{ REGSHIFT_TAG_TTL: '0', REGSHIFT_CACHE_BYTES: '1000' }, 'tagTtl: 0\ncacheBytes: 1000'],
    [{ REGSHIFT_STORE_BYTES: '10GB', REGSHIFT_LAYER_BYTES: '1000' }, 'storeBytes: 10GB\nlayerBytes: "1000"'],
    [{ REGSHIFT_UPSTREAM_NETWORKS: '10.0.0.0/8,::1' }, 'upstreamNetworks: [10.0.0.0/8, "::1"]'],
    [
      { REGSHIFT_UPSTREAM_ALIASES: 'http://a.test:5000,https://b.test', REGSHIFT_MIRROR_MISS: 'next' },
      'upstreamAliases: [http://a.test:5000, https://b.test]\nmirrorMiss: next',
    ],
    [{ REGSHIFT_TRUSTED_PROXIES: '10.0.0.0/8,::1' }, 'trustedProxies:\n  - 10.0.0.0/8\n  - "::1"'],
    [
      { REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey) },
      `signingKey: ${JSON.stringify(testSigningKey)}`,
    ],
  ];
  it.each(same)('%j', (variables, yaml) => {
    const byVariables = readSettings(variables);
    if ('problems' in byVariables) throw new Error(formatProblems(byVariables.problems));
    const comparable = (settings: object) => {
      const {
        REGSHIFT_CONFIG: _,
        routes,
        REGSHIFT_ALIASES: __,
        ...values
      } = settings as Record<string, unknown>;
      return { values, match: (routes as { match: unknown }[])[0]?.match };
    };
    expect(comparable(settingsOf(yaml))).toEqual(comparable(byVariables.settings));
    expect(comparable(settingsOf(JSON.stringify(parseYaml(yaml))))).toEqual(comparable(byVariables.settings));
  });

  it('aliases and repositories too', () => {
    const { REGSHIFT_ALIASES: aliases, REGSHIFT_REPOSITORIES: serves } = settingsOf(
      'aliases: { a/b: c/d/e }\nrepositories: ["team/**", base]',
    );
    expect(aliases.realName('a/b' as never)).toBe('c/d/e');
    expect(['team/x/y', 'base', 'other'].map((name) => serves?.(name))).toEqual([true, true, false]);
  });
});

describe('the setting of a route', () => {
  const yaml = `
tagTtl: 1
stale: 1
upstreamAuth: anonymous
routes:
  - { match: { path: a/ }, upstream: "https://a.test", tagTtl: 3 }
  - { match: { path: b/ }, upstream: "https://b.test" }
`;
  it('is that of the route, else of a variable, else of the top of the file', () => {
    const { routes, REGSHIFT_TAG_TTL: top } = settingsOf(yaml, {}, { REGSHIFT_TAG_TTL: '2' });
    expect(routes.map(({ settings }) => settings.REGSHIFT_TAG_TTL)).toEqual([3, 2]);
    expect(routes.map(({ settings }) => settings.REGSHIFT_STALE)).toEqual([1, 1]);
    expect(top).toBe(2);
    expect(routes.map(({ id }) => id)).toEqual(['path=a/', 'path=b/']);
  });

  it.each([' ', ',', ' , '])('is wrong where the upstream is blank: %s', (upstream) => {
    const routes = `routes:\n  - match: { path: a/ }\n    upstream: ${JSON.stringify(upstream)}`;
    expect(problemsOf(routes)).toEqual([
      expect.stringMatching(/^routes\[0\]\.upstream .*must be a URL that begins with/),
    ]);
  });

  it('is wrong where a list is empty, in the words of a list', () => {
    const routes = 'routes:\n  - match: { path: a/ }\n    upstream: []';
    expect(problemsOf(routes)[0]).toContain('must be text, or a list of texts');
  });

  it('is inherited with a login only without another upstream', () => {
    const login = {
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'u',
      REGSHIFT_UPSTREAM_PASSWORD: 'p',
    };
    const given = { ...login, REGSHIFT_CLIENT_AUTH: 'none', REGSHIFT_UPSTREAM: 'https://a.test' };
    const routes = 'routes:\n  - match: { path: a/ }\n  - match: { path: b/ }\n    upstream: https://b.test';
    expect(problemsOf(routes, {}, given)).toEqual([
      "routes[1].upstreamUsername is not set: it must be set, because upstreamAuth is basic: the user name of the proxy's own account at the upstream registry",
      "routes[1].upstreamPassword is not set: it must be set, because upstreamAuth is basic: the password of the proxy's own account at the upstream registry",
    ]);
  });
});

describe('REGSHIFT_UPSTREAM beside routes', () => {
  const route = (path: string, more = '') => `\n  - { match: { path: ${path}/ }${more} }`;
  const own = ', upstream: "https://a.test"';
  const warned = 'REGSHIFT_UPSTREAM has no effect: each route in REGSHIFT_CONFIG has its own upstream.';
  it.each<[which: string, yaml: string, warnings: string[]]>([
    ['has no effect where each has its own', `routes:${route('a', own)}${route('b', own)}`, [warned]],
    [
      'is named so beside a problem, too',
      `routes:${route('a', own)}${route('b', `${own}, format: x`)}`,
      [warned],
    ],
    ['is for the routes without their own', `routes:${route('a', own)}${route('b')}`, []],
    ['is for all requests without routes', 'tagTtl: 3', []],
  ])('%s', (_, yaml, warnings) => {
    const anonymousAt = { REGSHIFT_UPSTREAM: 'http://127.0.0.1:5555', REGSHIFT_UPSTREAM_AUTH: 'anonymous' };
    expect(read(yaml, {}, anonymousAt).warnings).toEqual(warnings);
    expect(read(yaml, {}, { REGSHIFT_UPSTREAM_AUTH: 'anonymous' }).warnings).toEqual([]);
  });
});

describe('secrets in files', () => {
  const basic = 'upstream: https://a.test\nupstreamAuth: basic\nupstreamUsername: u\nclientAuth: basic\n';

  it('are read, beside the file that names them, without their last line end', () => {
    const files = { '/etc/secrets/password': 'hidden\n', '/run/htpasswd': `${htpasswd}\n` };
    const settings = settingsOf(
      `${basic}upstreamPasswordFile: secrets/password\nhtpasswdFile: /run/htpasswd`,
      files,
    );
    expect(settings.REGSHIFT_UPSTREAM_PASSWORD).toBe('hidden');
    expect([...(settings.REGSHIFT_HTPASSWD?.keys() ?? [])]).toEqual(['alice']);
  });

  it.each(fileVariables)('%s_FILE is a variable', (variable) => {
    expect(problemsOf('{}', {}, { [`${variable}_FILE`]: '/none' })).toContainEqual(
      `${variable}_FILE must be a path to a file that can be read (ENOENT)`,
    );
  });

  it('may not be set twice', () => {
    const yaml = `${basic}upstreamPassword: a\nupstreamPasswordFile: b\nhtpasswd: "${htpasswd}"`;
    expect(problemsOf(yaml)).toEqual([
      'upstreamPasswordFile is set: it must not be set, because upstreamPassword is set: keep one',
    ]);
  });
});

const anonymous = 'upstreamAuth: anonymous\n';
const two = (first: string, second: string, top = anonymous) =>
  `${top}routes:\n  - { upstream: "https://a.test", ${first} }\n  - { upstream: "https://b.test", ${second} }\n`;
const shared = (index: number) =>
  `it must be anonymous, or an account of the proxy (basic, docker-config, ecr, gcp, acr), because routes[${index}] is reached by the same host and clients ` +
  'keep one login for a host: it would not be for one upstream alone; or one of the two needs a host or a port of ' +
  'its own (match)';
const users = (line: string) =>
  `upstreamAuth: docker-config, dockerConfig: '{"auths":{"a.test":{"auth":"dTpw"},"b.test":{"auth":"dTpw"}}}', ${line}`;

describe('a problem is reported with its place', () => {
  it.each<[yaml: string, problems: string[]]>([
    ['tagTTL: 3', ['tagTTL is not a setting: did you mean tagTtl?']],
    ['REGSHIFT_TAG_TTL: 3', ['REGSHIFT_TAG_TTL is not a setting: did you mean tagTtl?']],
    ['tagTtl: "3"', ['tagTtl is "3": it must be a number']],
    ['tagTtl: -3', ['tagTtl is "-3": it must be 0 or more seconds']],
    [
      'storeBytes: 10G',
      [
        'storeBytes is "10G": it must be 1 or more bytes, as a whole number or with a unit, like 10GB or 10GiB',
      ],
    ],
    [
      'storeBytes: true',
      ['storeBytes is true: it must be a number of bytes, or text with a unit, like 10GB or 10GiB'],
    ],
    ['upstreamUsername: 0123', ['upstreamUsername must be text; put quotes around what is only digits']],
    ['$schema: 3', ['$schema is 3: it must be text; put quotes around what is only digits']],
    [
      'logLevel: ""\nsigningKey: ""',
      [
        'signingKey must not be empty: leave it out, or give it a value',
        'logLevel is "": it must be debug, info, warn or error',
      ],
    ],
    ['format: v1', ['format is "v1": it must be auto, schema1, schema2, oci or generic']],
    ['- a\n- b', ['REGSHIFT_CONFIG is a list: it must be an object of settings']],
    [
      'a: [',
      ['REGSHIFT_CONFIG must be YAML or JSON: /etc/regshift.yaml:1:4 has a [ that is not closed before 1:5'],
    ],
    ['routes: []', ['routes is []: it must have at least one route']],
    [`${anonymous}routes: [{}]`, ['routes[0].upstream is not set: it must be the registry of this route']],
    [
      `${anonymous}routes: [3]`,
      [
        'routes[0] is 3: it must be an object of settings',
        'routes[0].upstream is not set: it must be the registry of this route',
      ],
    ],
    [
      two('port: 5000', 'match: { path: b/ }'),
      ['routes[0].port is for the whole program: put it at the top of the file'],
    ],
    [
      two('constructor: a', 'match: { path: b/ }'),
      ['routes[0].constructor is not a setting: docs/settings.md lists all'],
    ],
    [
      two('match: { hots: a }', 'match: { path: b/ }'),
      ['routes[0].match.hots is not a setting: did you mean host?'],
    ],
    [
      two('match: { host: "a b" }', 'match: { port: 0 }').replace('b.test', 'a.test'),
      [
        `routes[0].match.host is "a b": ${noHost}`,
        'routes[1].match.port is 0: it must be a port from 1 to 65535, or a list of such',
        'routes[1].match is "all": it leads nowhere: an earlier route is for the same',
      ],
    ],
    ...['a.example:99999', '[1::2::3]', 'fd00::2', '1.2.3.4.5', 'a.256'].map((host): [string, string[]] => [
      two(`match: { host: "${host}" }`, 'match: { path: b/ }'),
      [`routes[0].match.host is "${host}": ${noHost}`],
    ]),
    [
      two('match: { path: Hub }', 'match: { ns: "a/b" }'),
      [
        'routes[0].match.path is "Hub": it must be the beginning of repository names, like hub/, or a list of such',
        'routes[1].match.ns is "a/b": it must be a registry as containerd names it, like docker.io, or a list of such',
        'routes[1].match is "all": it leads nowhere: an earlier route is for the same',
      ],
    ],
    [
      two('match: { alias: { a: B } }', 'match: { path: b/ }'),
      [
        'routes[0].aliases is "a=B": it must be pairs like short/name=real/long/name with commas between them: "a=B" is not two repository names with = between them',
      ],
    ],
    [two('', 'match: { path: b/ }', ''), [`routes[1].upstreamAuth is not set: ${shared(0)}`]],
    [
      two('upstreamAuth: passthrough', 'match: { ns: b.test }'),
      [`routes[0].upstreamAuth is "passthrough": ${shared(1)}`],
    ],
    [
      two('match: { alias: { a: b } }, upstreamAuth: passthrough', ''),
      [`routes[0].upstreamAuth is "passthrough": ${shared(1)}`],
    ],
    [
      two('match: { path: a/ }', 'match: { path: [b/, a] }'),
      ['routes[1].match.path is "a": it leads nowhere: an earlier route is for the same'],
    ],
    [
      two('match: { ns: x }', 'match: { ns: [x, y] }'),
      ['routes[1].match.ns is "x": it leads nowhere: an earlier route is for the same'],
    ],
    [
      two('match: { alias: { a: b } }', 'aliases: { a: c }'),
      ['routes[1].match.alias is "a": it leads nowhere: an earlier route is for the same'],
    ],
    [two('', ''), ['routes[1].match is "all": it leads nowhere: an earlier route is for the same']],
    [
      `aliases: { a: b }\n${two('', 'match: { path: b/ }')}`,
      ['aliases is set: it must stand in the route whose repositories it names'],
    ],
    [
      two(
        users('clientAuth: none'),
        users(`clientAuth: basic, htpasswd: "${htpasswd}", match: { path: b/ }`),
      ),
      [
        'routes[0].clientAuth is "none": it must be the same as in routes[1], with the same users, because both are reached by the same host and clients learn there once how to log in; or one of the two needs a host or a port of its own (match)',
      ],
    ],
    [
      `publicUrl: https://p.test\n${two('match: { host: a.proxy }', 'match: { host: p.test }')}`,
      [
        'publicUrl is "https://p.test": it must stand in this route, because its host or port is one of its own (match)',
      ],
    ],
    [
      'routes: [{ upstream: "https://a.test", match: { path: a/ }, tokenRelay: never }]',
      [
        'routes[0].tokenRelay is "never": it must be always here: a token server knows repositories by no other name than upstream',
      ],
    ],
    [
      'upstream: [https://a.test, https://b.test]',
      [
        'upstreamAuth is not set, so it is "passthrough": it must be anonymous, or docker-config with a login for each that wants one, because upstream names several registries: a login is for one',
      ],
    ],
    [
      `${anonymous}push: allow\nupstream: [https://a.test, https://b.test]`,
      [
        'push is "allow": it must be refuse, because upstream names several registries, and only one would get a push',
      ],
    ],
  ])('%s', (yaml, problems) => expect(problemsOf(yaml)).toEqual(problems));

  it('all problems at once', () => {
    const yaml =
      'tagTtl: x\nroutes:\n  - { match: { pth: a }, upstream: ftp://a }\n  - { tagTtl: 90000, stal: 3 }';
    const found = problemsOf(yaml, {}, { REGSHIFT_STALE: '-1', REGSHIFT_BLOB: 'stream' });
    expect(new Set(found)).toEqual(
      new Set([
        'tagTtl is "x": it must be a number',
        'routes[0].match.pth is not a setting: did you mean path?',
        'routes[1].stal is not a setting: did you mean stale?',
        'routes[0].upstream is "ftp://a": it must be a URL that begins with http:// or https://, like https://registry.example',
        'routes[1].tagTtl is "90000": it must be at most 86400 seconds',
        'routes[1].upstream is not set: it must be the registry of this route',
        'REGSHIFT_STALE is "-1": it must be 0 or more seconds',
        'REGSHIFT_BLOB is not a setting: did you mean REGSHIFT_BLOBS?',
      ]),
    );
  });

  it('in words of regshift, not of zod', () => {
    const keys = Object.keys(documentSchema.shape);
    for (const value of ['null', '""', '1.5', 'false', '[]', '[{}]', '{}', '{ a: [] }']) {
      const yaml = (at: readonly string[]) => at.map((key) => `${key}: ${value}`);
      const match = `match: { ${yaml(Object.keys(matchSchema.shape)).join(', ')} }`;
      const route = [...yaml(keys), match].join(', ');
      const problems = [yaml(keys).join('\n'), `routes: [{ ${route} }]`].flatMap((text) => problemsOf(text));
      expect(problems.length).toBeGreaterThan(keys.length);
      expect(problems.filter((problem) => /Invalid|Too (?:small|big)|Unrecognized/.test(problem))).toEqual(
        [],
      );
    }
  });

  it('and no secret is quoted', () => {
    const yaml = 'upstreamPassword: [hidden]\nsigningKey: 7777777\nhtpasswd: "a:hidden"\nupstreamAuth: basic';
    expect(problemsOf(yaml).join('\n')).not.toMatch(/hidden|777/);
    expect(problemsOf('upstreamPassword: "hidden')).toHaveLength(1);
    expect(problemsOf('upstreamPassword: "hidden').join('\n')).not.toMatch(/hidden/);
  });
});

describe('a problem names the file', () => {
  const yaml =
    'format: ocii\nroutes:\n  - { tagTtl: x, upstream: https://a.test, match: { path: Hub, hots: a } }';
  const inFile = (file: string) => [
    `format in ${file} is "ocii": it must be auto, schema1, schema2, oci or generic`,
    `routes[0].tagTtl in ${file} is "x": it must be a number`,
    `routes[0].match.hots in ${file} is not a setting: did you mean host?`,
    `routes[0].match.path in ${file} is "Hub": it must be the beginning of repository names, like hub/, or a list of such`,
    'REGSHIFT_STALE is "-1": it must be 0 or more seconds',
  ];
  const stale = { REGSHIFT_STALE: '-1' };

  it('by its path, and a variable stands alone', () => {
    expect(linesOf(read(yaml, {}, stale)).toSorted()).toEqual(inFile('/etc/regshift.yaml').toSorted());
  });

  it('as REGSHIFT_CONFIG, if that is the text itself', () => {
    const text = JSON.stringify(parseYaml(yaml));
    const lines = linesOf(readSettings({ REGSHIFT_CONFIG: text, ...stale }, undefined, parseYaml));
    expect(lines.toSorted()).toEqual(inFile('REGSHIFT_CONFIG').toSorted());
  });

  it('where an earlier route gets all requests, and where a setting is missing', () => {
    const twice =
      'upstreamAuth: anonymous\nroutes: [{ upstream: "https://a.test" }, { upstream: "https://b.test" }]';
    expect(linesOf(read(twice))).toEqual([
      'routes[1].match in /etc/regshift.yaml is "all": it leads nowhere: an earlier route is for the same',
    ]);
    expect(linesOf(read('upstream: https://a.test\nupstreamCert: -----BEGIN CERTIFICATE-----'))).toEqual([
      'upstreamKey in /etc/regshift.yaml is not set: it must be set, because upstreamCert is set: they belong together',
    ]);
  });
});

describe('a mistake of the syntax', () => {
  const at = '/etc/regshift.yaml:';
  it.each<[yaml: string, told: string]>([
    [
      'routes:\n  - match: { path: hub/, ns: docker.io\n    upstream: https://a.test\n',
      `${at}2:12 has a { that is not closed before 3:5, in the line of match`,
    ],
    [
      'tagTtl: 3\nstale: "3\nport: 1\n',
      `${at}2:8 has a " that is not closed before 4:1, in the line of stale`,
    ],
    [
      "upstream: 'https://a.test",
      `${at}1:11 has a ' that is not closed before 1:26, in the line of upstream`,
    ],
    [
      '{ "stale": 1, "match": { "port": 1 }',
      `${at}1:1 has a { that is not closed before 1:37, in the line of stale`,
    ],
    [
      'upstream: [https://a.test, "https://b.test"',
      `${at}1:11 has a [ that is not closed before 1:44, in the line of upstream`,
    ],
    ['stale: 1\n\ttagTtl: 3', `${at}2:1 is wrong (tab as indent), in the line of tagTtl`],
    ['stale: 1\nstale: 3', `${at}2:1 is wrong (duplicate key), in the line of stale`],
    ['hunter2: hunter3: x', `${at}1:10 is wrong (block as implicit key)`],
  ])('is named with its place and what is not closed: %j', (yaml, told) => {
    const [line, ...others] = linesOf(read(yaml));
    expect(others).toEqual([]);
    expect(line).toBe(`REGSHIFT_CONFIG must be YAML or JSON: ${told}`);
    expect(line).not.toContain('hunter');
  });

  it('is in REGSHIFT_CONFIG, if that is the text itself', () => {
    expect(linesOf(readSettings({ REGSHIFT_CONFIG: '{"stale": [1' }, undefined, parseYaml))).toEqual([
      'REGSHIFT_CONFIG must be YAML or JSON: REGSHIFT_CONFIG:1:11 has a [ that is not closed before 1:13, in the line of stale',
    ]);
  });

  it('quotes no password that YAML takes for an alias', () => {
    expect(linesOf(read('upstreamPassword: *hunter2'))).toEqual([
      'REGSHIFT_CONFIG must be YAML or JSON: /etc/regshift.yaml has an alias without its anchor, or too many aliases: put quotes around a text that begins with *',
    ]);
  });
});

describe('routes that may share a host', () => {
  it.each([
    [
      'one passes logins through at a host of its own',
      two('match: { host: a.proxy }, upstreamAuth: passthrough', ''),
    ],
    ['or at a port of its own', two('match: { port: 5001 }, upstreamAuth: passthrough', '')],
    [
      'both lead to one upstream',
      two('', 'match: { path: old/ }, format: schema1', '').replace('b.test', 'a.test'),
    ],
    [
      'the same users',
      two(
        users(`clientAuth: basic, htpasswd: "${htpasswd}"`),
        users(`clientAuth: basic, htpasswd: "${htpasswd}", match: { path: b/ }`),
      ),
    ],
    ['no login is required', two(users('clientAuth: none'), 'match: { path: b/ }')],
    ['a path inside a path', two('match: { path: a/ }', 'match: { path: a/b }')],
  ])('%s', (_, yaml) => expect(problemsOf(yaml)).toEqual([]));
});

describe('many routes', () => {
  const route = (index: number) =>
    `{ match: { host: "h${index}.test:${index}" }, upstream: "https://a.test" }`;
  const many = Array.from({ length: 750 }, (_, index) => route(20_000 + index));
  const yaml = (routes: readonly string[]) => `${anonymous}routes: [${routes}]`;

  it('at hosts with ports of their own are checked', () => {
    expect(problemsOf(yaml(many))).toEqual([]);
    expect(problemsOf(yaml([...many, route(20_007)]))).toEqual([
      'routes[750].match is "host=h20007.test:20007": it leads nowhere: an earlier route is for the same',
    ]);
  });
});

describe('a setting that many routes inherit', () => {
  const top = `upstreamAuth: anonymous\nclientAuth: basic\nhtpasswdFile: /run/htpasswd\n`;
  const route = (port: number, own = '') => `{ match: { port: ${port} }, upstream: http://a.example${own} }`;
  const yaml = `${top}routes: [${route(1)}, ${route(2)}, ${route(3, `, htpasswd: "${htpasswd}"`)}, ${route(4)}]`;
  const usersIn = (text: string) =>
    settingsOf(yaml, { '/run/htpasswd': text }).routes.map(({ settings }) => settings.REGSHIFT_HTPASSWD);
  const bob = htpasswd.replace('alice', 'bob');

  it('is read once, and is kept once', () => {
    const [first, second, own] = usersIn(bob);
    expect(second).toBe(first);
    expect([first, own].map((users) => [...(users?.keys() ?? [])])).toEqual([['bob'], ['alice']]);
  });

  it('is read again when it changes, and its problems are reported each time', () => {
    expect([...(usersIn(bob)[0]?.keys() ?? [])]).toEqual(['bob']);
    expect([...(usersIn(`${bob}\n${htpasswd}`)[3]?.keys() ?? [])]).toEqual(['bob', 'alice']);
    for (const _ of [1, 2])
      expect(linesOf(read(yaml, { '/run/htpasswd': 'bob:wrong' }))).toEqual([
        expect.stringContaining('must be bcrypt entries: line 1 is not a bcrypt entry'),
      ]);
    expect([...(usersIn(bob)[0]?.keys() ?? [])]).toEqual(['bob']);
  });
});

describe('the files beside the program', () => {
  it('the JSON Schema for editors is what the program reads (npm run config:schema)', () => {
    const stored = readFileSync(join(root, 'deploy/regshift.schema.json'), 'utf8');
    expect(JSON.parse(stored)).toEqual(JSON.parse(configSchema()));
  });

  it('the example of docs/settings.md is right', () => {
    const example =
      /```yaml\n(.*?)```/s.exec(readFileSync(join(root, 'docs/settings.md'), 'utf8'))?.[1] ?? '';
    const files = { '/run/secrets/puller': 'hidden\n', '/etc/regshift/htpasswd': htpasswd };
    expect(settingsOf(example, files).routes).toHaveLength(4);
  });
});

describe('the nearest word', () => {
  it.each([
    ['tagTTL', 'tagTtl'],
    ['hots', 'host'],
    ['x', undefined],
    ['somethingElse', undefined],
  ])('to %s is %s', (word, near) => expect(nearest(word, ['tagTtl', 'host', 'port'])).toBe(near));
});

it.each([
  ['routes: { hub: { upstream: "https://a.test", upstreamPassword: hunter2 } }', 'routes is a mapping'],
  ['routes:\n  - [upstreamPassword, hunter2]', 'routes[0] is a list'],
  ['routes:\n  - { upstream: "https://a.test", match: [hunter2] }', 'routes[0].match is a list'],
])('a value in the wrong place is not shown: it may hold secrets (%s)', (yaml, description) => {
  const problems = problemsOf(yaml).join('\n');
  expect(problems).toContain(description);
  expect(problems).not.toContain('hunter2');
});

it('routes of one host must hand out tokens in the same way', () => {
  const hub = 'upstream: https://docker.io';
  const yaml = `routes:\n  - { ${hub}, match: { ns: docker.io }, tokenRelay: never }\n  - { ${hub} }`;
  expect(problemsOf(yaml).join('\n')).toMatch(/tokenRelay.*must be the same as in/);
  expect(problemsOf(yaml.replace(', tokenRelay: never', ''))).toEqual([]);
});

it('the parser of YAML writes no warning, which would quote the text', async () => {
  const warnings: Error[] = [];
  const collect = (warning: Error) => warnings.push(warning);
  process.on('warning', collect);
  expect(parseYaml('? { upstreamPassword: hunter-secret }\n: 1\n')).toEqual({
    '{ upstreamPassword: hunter-secret }': 1,
  });
  await new Promise(setImmediate);
  process.off('warning', collect);
  expect(warnings).toEqual([]);
});
