import { describe, expect, it } from 'vitest';
import { formatProblems } from '../../../src/config/problem.ts';
import { UnreadableFileError } from '../../../src/config/setting-files.ts';
import { readSettings } from '../../../src/config/settings.ts';

const alice = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
const secret = 'correct-horse';
const jwks = JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }] });

type Variables = Readonly<Record<string, string>>;

const service: Variables = {
  REGSHIFT_UPSTREAM: 'https://registry.test',
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'proxy',
  REGSHIFT_UPSTREAM_PASSWORD: secret,
};
const byBasic: Variables = { REGSHIFT_CLIENT_AUTH: 'basic', REGSHIFT_HTPASSWD: alice };
const byJwt: Variables = {
  REGSHIFT_CLIENT_AUTH: 'jwt',
  REGSHIFT_JWKS: jwks,
  REGSHIFT_JWT_ISSUER: 'https://issuer.test',
  REGSHIFT_JWT_AUDIENCE: 'regshift',
};
const dockerConfig = (config: unknown): Variables => ({
  REGSHIFT_UPSTREAM: 'https://registry.test',
  REGSHIFT_UPSTREAM_AUTH: 'docker-config',
  REGSHIFT_CLIENT_AUTH: 'none',
  REGSHIFT_DOCKER_CONFIG: JSON.stringify(config),
});
const ecr: Variables = {
  REGSHIFT_UPSTREAM: 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com',
  REGSHIFT_UPSTREAM_AUTH: 'ecr',
  REGSHIFT_CLIENT_AUTH: 'none',
};
const login = { auths: { 'registry.test': { auth: btoa(`proxy:${secret}`) } } };

function without(variables: Variables, ...names: readonly string[]): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !names.includes(name)));
}

function problemsOf(variables: Variables, readFile?: (path: string) => string) {
  const read = readSettings(variables, readFile);
  return 'problems' in read ? read.problems : [];
}

describe('settings that are right', () => {
  it.each<[name: string, variables: Variables]>([
    ['pass-through, by default', {}],
    ['pass-through, and client auth none explicitly', { REGSHIFT_CLIENT_AUTH: 'none' }],
    ['anonymous needs no client auth', { REGSHIFT_UPSTREAM_AUTH: 'anonymous' }],
    ['anonymous may have one', { REGSHIFT_UPSTREAM_AUTH: 'anonymous', ...byBasic }],
    ['a service account and htpasswd', { ...service, ...byBasic }],
    ['a service account and JWTs', { ...service, ...byJwt }],
    [
      'keys at an address',
      { ...service, ...without(byJwt, 'REGSHIFT_JWKS'), REGSHIFT_JWKS_URL: 'https://issuer.test/keys' },
    ],
    [
      'keys at an address of this machine',
      { ...service, ...without(byJwt, 'REGSHIFT_JWKS'), REGSHIFT_JWKS_URL: 'http://127.0.0.1:8/keys' },
    ],
    ['a service account for everyone', { ...service, REGSHIFT_CLIENT_AUTH: 'none' }],
    ['a Docker configuration', dockerConfig(login)],
    ['a login in a helper', dockerConfig({ ...login, credHelpers: { 'registry.test': 'ecr-login' } })],
    ['a login in the store', dockerConfig({ auths: { 'registry.test': {} }, credsStore: 'desktop' })],
    ['the role of a machine at AWS', ecr],
    [
      'variables of clouds for other programs',
      { AWS_ACCESS_KEY_ID: 'AKID', AWS_ENDPOINT_URL_ECR: 'no url', AZURE_CLIENT_SECRET: secret },
    ],
    ['trusted proxies', { REGSHIFT_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7 fd00::/8' }],
    [
      'a password of several lines',
      { ...service, ...byBasic, REGSHIFT_UPSTREAM_PASSWORD: '{\r\n\t"type": "service_account"\n}' },
    ],
    ['a proxy of an upstream', { REGSHIFT_UPSTREAM_PROXY: 'proxy.example:3128' }],
    ['no proxy for an upstream', { REGSHIFT_UPSTREAM_PROXY: 'none' }],
    ['aliases of an upstream', { REGSHIFT_UPSTREAM_ALIASES: 'http://a.test:5000, https://b.test/' }],
    ['networks of an upstream', { REGSHIFT_UPSTREAM_NETWORKS: '10.0.0.0/8, 192.0.2.7 fd00::/8' }],
  ])('%s', (_name, variables) => {
    expect(problemsOf(variables)).toEqual([]);
  });
});

describe('settings that are wrong', () => {
  const file = 'REGSHIFT_DOCKER_CONFIG';
  it.each<[name: string, variables: Variables, problems: readonly (readonly [string, RegExp])[]]>([
    [
      'a service account without client auth',
      service,
      [['REGSHIFT_CLIENT_AUTH', /^must be basic or jwt, because.*; set none to allow that to everyone/]],
    ],
    [
      'a Docker configuration without client auth',
      without(dockerConfig(login), 'REGSHIFT_CLIENT_AUTH'),
      [['REGSHIFT_CLIENT_AUTH', /^must be/]],
    ],
    [
      'pass-through with htpasswd',
      byBasic,
      [
        [
          'REGSHIFT_CLIENT_AUTH',
          /passthrough.*for upstream.*: leave this out, or set REGSHIFT_UPSTREAM_AUTH to/,
        ],
      ],
    ],
    ['pass-through with JWTs', byJwt, [['REGSHIFT_CLIENT_AUTH', /passthrough/]]],
    [
      'a login that is a name of every object',
      { REGSHIFT_UPSTREAM: 'https://registry.test', REGSHIFT_UPSTREAM_AUTH: 'constructor' },
      [['REGSHIFT_UPSTREAM_AUTH', /^must be passthrough, /]],
    ],
    [
      'pass-through with client auth alone: one advice',
      { REGSHIFT_CLIENT_AUTH: 'basic' },
      [
        [
          'REGSHIFT_CLIENT_AUTH',
          /leave this out, or set REGSHIFT_UPSTREAM_AUTH to .* and REGSHIFT_HTPASSWD to let/,
        ],
      ],
    ],
    [
      'pass-through with JWTs and no keys: one advice',
      { REGSHIFT_CLIENT_AUTH: 'jwt' },
      [
        [
          'REGSHIFT_CLIENT_AUTH',
          /leave this out, or set REGSHIFT_UPSTREAM_AUTH to .* and REGSHIFT_JWKS_URL to let/,
        ],
      ],
    ],
    [
      'an account for several registries: its name and password would not help',
      { REGSHIFT_UPSTREAM: 'https://a.test,https://b.test', REGSHIFT_UPSTREAM_AUTH: 'basic' },
      [['REGSHIFT_UPSTREAM_AUTH', /^must be anonymous, or docker-config/]],
    ],
    [
      'a cloud for several registries, and clients without their file',
      {
        REGSHIFT_UPSTREAM: 'https://a.test,https://b.test',
        REGSHIFT_UPSTREAM_AUTH: 'acr',
        REGSHIFT_CLIENT_AUTH: 'basic',
      },
      [
        ['REGSHIFT_HTPASSWD', /^must be/],
        ['REGSHIFT_UPSTREAM_AUTH', /^must be anonymous, or docker-config/],
      ],
    ],
    [
      'a service account without user and password, and without clients: all at once',
      { REGSHIFT_UPSTREAM_AUTH: 'basic' },
      [
        ['REGSHIFT_UPSTREAM_USERNAME', /^must be.*user name/],
        ['REGSHIFT_UPSTREAM_PASSWORD', /^must be.*password/],
        ['REGSHIFT_CLIENT_AUTH', /^must be/],
        ['REGSHIFT_UPSTREAM', /logs in to$/],
      ],
    ],
    [
      'a password that nothing uses',
      { REGSHIFT_UPSTREAM_PASSWORD: secret },
      [['REGSHIFT_UPSTREAM_PASSWORD', /no effect unless REGSHIFT_UPSTREAM_AUTH is basic/]],
    ],
    [
      'an unknown mode, whose companions are not judged',
      { ...service, REGSHIFT_UPSTREAM_AUTH: 'basik' },
      [['REGSHIFT_UPSTREAM_AUTH', /passthrough, anonymous, basic, docker-config, ecr, gcp or acr/]],
    ],
    [
      'a user name with a colon',
      { ...service, ...byBasic, REGSHIFT_UPSTREAM_USERNAME: 'a:b' },
      [['REGSHIFT_UPSTREAM_USERNAME', /colon/]],
    ],
    [
      'a password with the end of a line',
      { ...service, ...byBasic, REGSHIFT_UPSTREAM_PASSWORD: `${secret}\n` },
      [['REGSHIFT_UPSTREAM_PASSWORD', /control character/]],
    ],
    [
      'a key of AWS without its secret',
      { ...ecr, AWS_ACCESS_KEY_ID: 'AKID' },
      [['AWS_SECRET_ACCESS_KEY', /^must be set, because REGSHIFT_UPSTREAM_AUTH is ecr/]],
    ],
    [
      'an account of a cloud at another registry',
      { ...ecr, REGSHIFT_UPSTREAM: 'https://registry.test' },
      [['REGSHIFT_UPSTREAM', /^must be https:.*for that cloud alone$/]],
    ],
    [
      'a service principal without anything',
      {
        REGSHIFT_UPSTREAM: 'https://a.azurecr.io',
        REGSHIFT_UPSTREAM_AUTH: 'acr',
        REGSHIFT_CLIENT_AUTH: 'none',
      },
      [
        ['AZURE_TENANT_ID', /directory/],
        ['AZURE_CLIENT_ID', /service principal/],
        ['AZURE_CLIENT_SECRET', /secret/],
      ],
    ],
    [
      'a key of Google that is none',
      {
        REGSHIFT_UPSTREAM: 'https://gcr.io',
        REGSHIFT_UPSTREAM_AUTH: 'gcp',
        REGSHIFT_CLIENT_AUTH: 'none',
        REGSHIFT_GOOGLE_KEY: JSON.stringify({ type: 'authorized_user', private_key: secret }),
      },
      [['REGSHIFT_GOOGLE_KEY', /^must be the JSON key of a service account/]],
    ],
    [
      'a key of Google that nothing uses',
      {
        REGSHIFT_GOOGLE_KEY: JSON.stringify({
          type: 'service_account',
          client_email: 'a@b',
          private_key: '-----BEGIN PRIVATE KEY-----',
        }),
      },
      [['REGSHIFT_GOOGLE_KEY', /no effect unless REGSHIFT_UPSTREAM_AUTH is gcp/]],
    ],
    [
      'htpasswd without one',
      { ...service, REGSHIFT_CLIENT_AUTH: 'basic' },
      [['REGSHIFT_HTPASSWD', /htpasswd -B/]],
    ],
    [
      'htpasswd with other entries than bcrypt',
      {
        ...service,
        ...byBasic,
        REGSHIFT_HTPASSWD: `# users\n${alice}\nbob:{SHA}${secret}\n\ncarol:$apr1$${secret}`,
      },
      [
        ['REGSHIFT_HTPASSWD', /line 3 is not a bcrypt entry/],
        ['REGSHIFT_HTPASSWD', /line 5 is not a bcrypt entry/],
      ],
    ],
    [
      'htpasswd without users',
      { ...service, ...byBasic, REGSHIFT_HTPASSWD: '#\n' },
      [['REGSHIFT_HTPASSWD', /one user/]],
    ],
    [
      'JWTs without anything',
      { ...service, REGSHIFT_CLIENT_AUTH: 'jwt' },
      [
        ['REGSHIFT_JWT_ISSUER', /"iss"/],
        ['REGSHIFT_JWT_AUDIENCE', /"aud"/],
        ['REGSHIFT_JWKS_URL', /or REGSHIFT_JWKS/],
      ],
    ],
    [
      'two sources of keys',
      { ...service, ...byJwt, REGSHIFT_JWKS_URL: 'https://issuer.test/keys' },
      [['REGSHIFT_JWKS', /keep one/]],
    ],
    [
      'keys over plain http',
      { ...service, ...without(byJwt, 'REGSHIFT_JWKS'), REGSHIFT_JWKS_URL: 'http://issuer.test/keys' },
      [['REGSHIFT_JWKS_URL', /https:/]],
    ],
    ...[
      '{"keys":[]}',
      `{"keys":[{"kty":"oct","k":"${secret}"}]}`,
      `{"keys":[{"kty":"OKP","d":"${secret}"}]}`,
      `{${secret}`,
    ].map((keys): [string, Variables, [string, RegExp][]] => [
      `keys like ${keys}`,
      { ...service, ...byJwt, REGSHIFT_JWKS: keys },
      [['REGSHIFT_JWKS', /public RSA, EC or OKP keys/]],
    ]),
    [
      'text that is not a Docker configuration',
      { ...dockerConfig({}), [file]: `{${secret}` },
      [[file, /must be JSON/]],
    ],
    [
      'a Docker configuration without the host',
      dockerConfig({ auths: { 'evil-registry.test': login.auths['registry.test'] } }),
      [[file, /an entry in "auths" for registry\.test/]],
    ],
    [
      'a helper that is a path',
      dockerConfig({ ...login, credHelpers: { 'registry.test': '../bin/helper' } }),
      [[file, /name in "credHelpers" what follows docker-credential-/]],
    ],
    [
      'a store with a space in its name',
      dockerConfig({ auths: { 'registry.test': {} }, credsStore: 'desktop get' }),
      [[file, /name in "credsStore" what follows docker-credential-/]],
    ],
    [
      'an entry that says nothing',
      dockerConfig({ auths: { 'registry.test': { auth: btoa(secret) } } }),
      [[file, /base64 of user:password/]],
    ],
    [
      'the embedded samples',
      without(dockerConfig(login), 'REGSHIFT_UPSTREAM'),
      [['REGSHIFT_UPSTREAM', /logs in to/]],
    ],
    [
      'aliases of an upstream that are no origins, and another word for misses',
      {
        REGSHIFT_UPSTREAM_ALIASES: 'registry:5000,http://a.test/v2/,http://u:p@a.test',
        REGSHIFT_MIRROR_MISS: 'on',
      },
      [
        ['REGSHIFT_MIRROR_MISS', /^must be stop or next/],
        ['REGSHIFT_UPSTREAM_ALIASES', /"registry:5000" is none/],
        ['REGSHIFT_UPSTREAM_ALIASES', /"http:\/\/a\.test\/v2\/" is none/],
        ['REGSHIFT_UPSTREAM_ALIASES', /is none/],
      ],
    ],
    [
      'networks of an upstream that are not addresses',
      { REGSHIFT_UPSTREAM_NETWORKS: 'fd00::/129,storage.test' },
      [
        ['REGSHIFT_UPSTREAM_NETWORKS', /"fd00::\/129" is none/],
        ['REGSHIFT_UPSTREAM_NETWORKS', /"storage\.test" is none/],
      ],
    ],
    [
      'an outbound proxy that speaks SOCKS',
      { REGSHIFT_UPSTREAM_PROXY: `socks5://user:${secret}@proxy.test` },
      [['REGSHIFT_UPSTREAM_PROXY', /^must be the URL of an HTTP proxy.*, or none$/]],
    ],
    [
      'a client certificate without its key',
      { REGSHIFT_UPSTREAM_CERT: '-----BEGIN CERTIFICATE-----' },
      [['REGSHIFT_UPSTREAM_KEY', /^must be set, because REGSHIFT_UPSTREAM_CERT is/]],
    ],
    [
      'an authority in a file where there are no files, and a key that is none',
      {
        REGSHIFT_UPSTREAM_CA: '/nowhere/ca.pem',
        REGSHIFT_UPSTREAM_CERT: '-----BEGIN CERTIFICATE-----',
        REGSHIFT_UPSTREAM_KEY: '-----BEGIN CERTIFICATE-----',
        REGSHIFT_UPSTREAM_INSECURE: 'yes',
      },
      [
        ['REGSHIFT_UPSTREAM_KEY', /^must be a private key in PEM/],
        ['REGSHIFT_UPSTREAM_INSECURE', /^must be true or false/],
        ['REGSHIFT_UPSTREAM_CA', /^must be the text itself/],
      ],
    ],
    [
      'trusted proxies that are not addresses',
      { REGSHIFT_TRUSTED_PROXIES: '10.0.0.0/33,proxy.test' },
      [
        ['REGSHIFT_TRUSTED_PROXIES', /"10\.0\.0\.0\/33" is none/],
        ['REGSHIFT_TRUSTED_PROXIES', /"proxy\.test" is none/],
      ],
    ],
    [
      'a relay that is neither',
      { REGSHIFT_TOKEN_RELAY: 'auto' },
      [['REGSHIFT_TOKEN_RELAY', /always or never/]],
    ],
    [
      'a public URL without a scheme',
      { REGSHIFT_PUBLIC_URL: 'proxy.test' },
      [['REGSHIFT_PUBLIC_URL', /http/]],
    ],
  ])('%s', (_name, variables, expected) => {
    const problems = problemsOf(variables);
    expect(problems.map(({ variable }) => variable)).toEqual(expected.map(([variable]) => variable));
    for (const [index, [, message]] of expected.entries()) expect(problems[index]?.message).toMatch(message);
    const printed = formatProblems(problems);
    for (const hidden of [secret, btoa(secret), btoa(`proxy:${secret}`), '$2y$']) {
      expect(printed).not.toContain(hidden);
    }
  });

  it.each<[set: Variables, is: string]>([
    [{}, 'not set, so it is "passthrough"'],
    [{ REGSHIFT_UPSTREAM_AUTH: 'passthrough' }, '"passthrough"'],
  ])('names the kind of login in front of mirrors as the operator knows it: %j', (set, is) => {
    expect(formatProblems(problemsOf({ REGSHIFT_UPSTREAM: 'https://a.test,https://b.test', ...set }))).toBe(
      `REGSHIFT_UPSTREAM_AUTH is ${is}: it must be anonymous, or docker-config with a login for each that wants one, ` +
        'because REGSHIFT_UPSTREAM names several registries: a login is for one',
    );
  });

  it('reads like a sentence', () => {
    expect(formatProblems(problemsOf({ ...service, REGSHIFT_CLIENT_AUTH: 'basic' }))).toBe(
      'REGSHIFT_HTPASSWD is not set: it must be set, because REGSHIFT_CLIENT_AUTH is basic: ' +
        'lines of user:hash as htpasswd -B writes them, or a path to a file of them',
    );
  });
});

describe('settings that may be files', () => {
  const files: Variables = { '/etc/htpasswd': alice, 'config.json': JSON.stringify(login) };
  const readFile = (path: string) => {
    if (files[path] !== undefined) return files[path];
    throw new UnreadableFileError(path, 'ENOENT');
  };

  it('are read on a runtime with files', () => {
    expect(problemsOf({ ...service, ...byBasic, REGSHIFT_HTPASSWD: '/etc/htpasswd' }, readFile)).toEqual([]);
    expect(problemsOf({ ...dockerConfig({}), REGSHIFT_DOCKER_CONFIG: 'config.json' }, readFile)).toEqual([]);
  });

  it.each([alice, `\n${alice}\n`, `bob:${secret}`])('are not taken for paths when they are texts', (text) => {
    const noFiles = (path: string) => {
      throw new Error(`${path} was read`);
    };
    const problems = problemsOf({ ...service, ...byBasic, REGSHIFT_HTPASSWD: text }, noFiles);
    expect(problems.map(({ message }) => message)).toEqual(
      text.includes(alice)
        ? []
        : ['must be bcrypt entries: line 1 is not a bcrypt entry (make it by htpasswd -B)'],
    );
  });

  it.each(['/etc/none', 'C:\\htpasswd'])(
    'are a problem, and only one, when they cannot be read: %s',
    (path) => {
      const problems = problemsOf({ ...service, ...byBasic, REGSHIFT_HTPASSWD: path }, readFile);
      expect(problems).toEqual([
        {
          variable: 'REGSHIFT_HTPASSWD',
          value: '(not shown)',
          message: `must be the text itself, or a path to a file that can be read: ${path} does not exist (ENOENT)`,
        },
      ]);
    },
  );

  const noFile = (code: string) => () => {
    throw new UnreadableFileError(undefined, code);
  };
  const redis =
    'begins with no known scheme and is no file. It must be like redis://127.0.0.1:6379/0, rediss://user:password@redis.example:6380 ' +
    'for TLS, redis-sentinel://one.example:26379,two.example:26379/0?sentinelMasterId=mymaster, or ' +
    'redis-cluster://one.example:6379,two.example:6379, or a path to a file with such an address';

  it.each<[variable: string, value: string, line: string]>([
    ['REGSHIFT_REDIS_URL', 'localhost:6379', `REGSHIFT_REDIS_URL is "localhost:6379": it ${redis}`],
    ['REGSHIFT_REDIS_URL', '10.1.2.3:6379/0', `REGSHIFT_REDIS_URL is "10.1.2.3:6379/0": it ${redis}`],
    ['REGSHIFT_REDIS_URL', `me:${secret}@redis.test:6379`, `REGSHIFT_REDIS_URL ${redis}`],
    ['REGSHIFT_REDIS_URL', `redis.test:6379?password=${secret}`, `REGSHIFT_REDIS_URL ${redis}`],
    ['REGSHIFT_REDIS_URL', secret, `REGSHIFT_REDIS_URL ${redis}`],
    [
      'REGSHIFT_DOCKER_CONFIG',
      `"${secret}"`,
      'REGSHIFT_DOCKER_CONFIG begins with no { and is no file. It must be JSON like ~/.docker/config.json, or a path to it',
    ],
    [
      'REGSHIFT_GOOGLE_KEY',
      secret,
      'REGSHIFT_GOOGLE_KEY begins with no { and is no file. It must be the JSON key of a service account as Google made it, or a path to it',
    ],
    [
      'REGSHIFT_HTPASSWD',
      secret,
      'REGSHIFT_HTPASSWD has no user:hash and is no file. It must be lines of user:hash as htpasswd -B writes them, or a path to a file of them',
    ],
    [
      'REGSHIFT_UPSTREAM_CA',
      'ca',
      'REGSHIFT_UPSTREAM_CA is "ca": it has no -----BEGIN line and is no file. It must be one or more certificates in PEM, or a path to them',
    ],
    [
      'REGSHIFT_UPSTREAM_KEY',
      secret,
      'REGSHIFT_UPSTREAM_KEY has no -----BEGIN line and is no file. It must be a private key in PEM, or a path to it',
    ],
    [
      'REGSHIFT_CONFIG',
      'regshift',
      'REGSHIFT_CONFIG is "regshift": it begins with no { and is no file. It must be a path like /etc/regshift.yaml, or the settings as JSON',
    ],
  ])('are named with what is found and an example where they are neither: %s=%s', (variable, value, line) => {
    const problems = problemsOf({ [variable]: value }, noFile('ENOENT'));
    expect(formatProblems(problems).split('\n')).toContain(line);
    expect(formatProblems(problems)).not.toContain(secret);
  });

  it.each(['/nope', './nope', '~/nope'])('are files where they begin like a path: %s', (path) => {
    const problems = problemsOf({ REGSHIFT_UPSTREAM_CA: path }, noFile('ENOENT'));
    expect(problems[0]?.message).toBe(
      'must be the text itself, or a path to a file that can be read (ENOENT)',
    );
  });

  it('are files where the system says more of them than that they are missing', () => {
    const problems = problemsOf({ REGSHIFT_REDIS_URL: 'redis' }, noFile('EACCES'));
    expect(problems[0]?.message).toBe(
      'must be the text itself, or a path to a file that can be read (EACCES)',
    );
  });

  it('must be texts on a runtime without files', () => {
    const problems = problemsOf({ ...dockerConfig({}), REGSHIFT_DOCKER_CONFIG: '~/.docker/config.json' });
    expect(problems.map(({ message }) => message)).toEqual([
      'must be the text itself: there are no files here',
    ]);
  });
});
