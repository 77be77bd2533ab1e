import { describe, expect, it } from 'vitest';
import { formatProblems, withheld } from '../../../src/config/problem.ts';
import { readSettings } from '../../../src/config/settings.ts';

function settingsOf(variables: Record<string, unknown>) {
  const read = readSettings(variables);
  if ('problems' in read) throw new Error(formatProblems(read.problems));
  return read.settings;
}

function problemsOf(variables: Record<string, unknown>) {
  const read = readSettings(variables);
  return 'problems' in read ? read.problems : [];
}

describe('with nothing set', () => {
  it('each setting has its default', () => {
    expect(settingsOf({})).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 8080,
      REGSHIFT_FORMAT: 'auto',
      REGSHIFT_PLATFORM: { os: 'linux', architecture: 'amd64' },
      REGSHIFT_UPSTREAM_AUTH: 'passthrough',
      REGSHIFT_TAG_TTL: 30,
      REGSHIFT_STALE: 3600,
      REGSHIFT_BLOBS: 'stream',
      REGSHIFT_CONVERT_BY_DIGEST: 'never',
      LOG_LEVEL: 'info',
    });
    expect(settingsOf({}).REGSHIFT_UPSTREAM).toBeUndefined();
    expect(settingsOf({}).REGSHIFT_SIGNING_KEY).toBeUndefined();
  });

  it.each(['', '   '])('and a variable that is "%s" counts as not set', (nothing) => {
    expect(settingsOf({ PORT: nothing, REGSHIFT_UPSTREAM: nothing, REGSHIFT_FORMAT: nothing })).toEqual(
      settingsOf({}),
    );
  });

  it('and there is a registry for NODE_ENV=production, also the sample one, except with npm start', () => {
    const production = { NODE_ENV: 'production' };
    expect(problemsOf(production)).toEqual([
      {
        variable: 'REGSHIFT_UPSTREAM',
        value: 'not set',
        message:
          'must be the URL of your registry, like https://registry.example, because NODE_ENV is production. For the ' +
          'built-in sample registry, set REGSHIFT_UPSTREAM=sample',
      },
    ]);
    expect(settingsOf({ ...production, REGSHIFT_UPSTREAM: 'sample' })).toEqual(settingsOf({}));
    expect(problemsOf({ ...production, REGSHIFT_UPSTREAM: 'https://registry.example' })).toEqual([]);
    const npmStart = { npm_lifecycle_event: 'start', npm_package_name: 'regshift' };
    expect(problemsOf({ ...production, ...npmStart })).toEqual([]);
    expect(problemsOf({ ...production, ...npmStart, npm_package_name: 'other' })).toHaveLength(1);
    const file = JSON.stringify({ routes: [{ upstream: 'https://registry.example' }] });
    expect(problemsOf({ ...production, REGSHIFT_CONFIG: file })).toEqual([]);
  });

  it('and variables of other programs are ignored', () => {
    expect(problemsOf({ PATH: '/bin', NODE_ENV: 'x', REGSHIFT_REQUIRE_PEERS: '1' })).toEqual([]);
  });
});

describe('a valid value', () => {
  it.each([
    ['PORT', '0', 0],
    ['PORT', '65535', 65_535],
    ['REGSHIFT_TAG_TTL', '0', 0],
    ['REGSHIFT_TAG_TTL', '86400', 86_400],
    ['REGSHIFT_STALE', '604800', 604_800],
    ['REGSHIFT_CACHE_BYTES', '0', 0],
    ['REGSHIFT_CACHE_BYTES', '64MB', 64_000_000],
    ['REGSHIFT_LAYER_BYTES', '1.5 GiB', 1.5 * 2 ** 30],
    ['REGSHIFT_STORE_BYTES', '10GiB', 10 * 2 ** 30],
    ['REGSHIFT_PLATFORM', 'linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['REGSHIFT_PLATFORM', 'linux/aarch64', { os: 'linux', architecture: 'arm64' }],
    ['REGSHIFT_PLATFORM', 'windows/amd64', { os: 'windows', architecture: 'amd64' }],
    ['REGSHIFT_UPSTREAM', 'https://registry.example/path', [new URL('https://registry.example/path')]],
    ['REGSHIFT_UPSTREAM', 'http://127.0.0.1:5000', [new URL('http://127.0.0.1:5000')]],
  ] as const)('%s=%s', (variable, value, read) => {
    expect(settingsOf({ [variable]: value })[variable]).toEqual(read);
  });
});

const between = (last: number, what: string) =>
  [
    ['-1', `must be 0 or more ${what}`],
    [String(last + 1), `must be at most ${last} ${what}`],
    ['1.5', `must be a whole number of ${what}`],
    ['many', `must be a whole number of ${what}`],
  ] as const;

const bad: readonly (readonly [variable: string, value: string, message: string])[] = [
  ...between(86_400, 'seconds').map(([value, message]) => ['REGSHIFT_TAG_TTL', value, message] as const),
  ...between(604_800, 'seconds').map(([value, message]) => ['REGSHIFT_STALE', value, message] as const),
  ...['-1', '1e9', '64M', '1.5'].map(
    (value) =>
      [
        'REGSHIFT_CACHE_BYTES',
        value,
        'must be 0 or more bytes, as a whole number or with a unit, like 10GB or 10GiB',
      ] as const,
  ),
  ['REGSHIFT_CACHE_BYTES', '9000TiB', 'must be at most 9007199254740991 bytes'],
  [
    'REGSHIFT_STORE_BYTES',
    '0GB',
    'must be 1 or more bytes, as a whole number or with a unit, like 10GB or 10GiB',
  ],
  ['REGSHIFT_SHUTDOWN_GRACE', '0x10', 'must be a whole number of seconds'],
  ['REGSHIFT_FORMAT', 'v1', 'must be auto, schema1, schema2, oci or generic'],
  ['REGSHIFT_FORMAT', 'OCI', 'must be auto, schema1, schema2, oci or generic'],
  ['REGSHIFT_BLOBS', 'proxy', 'must be stream or redirect'],
  ['REGSHIFT_CONVERT_BY_DIGEST', 'yes', 'must be never or always'],
  ['LOG_LEVEL', 'trace', 'must be debug, info, warn or error'],
  ...['linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/arm/', 'linux arm'].map(
    (value) =>
      [
        'REGSHIFT_PLATFORM',
        value,
        'must be os/architecture or os/architecture/variant, like linux/arm/v7',
      ] as const,
  ),
];

describe('a wrong value is reported with the requirement', () => {
  it.each(bad)('%s=%s: it %s', (variable, value, message) => {
    expect(problemsOf({ [variable]: value })).toEqual([{ variable, value: JSON.stringify(value), message }]);
  });

  it.each([
    ['-1', /from 0 to 65535/],
    ['65536', /from 0 to 65535/],
    ['80.5', /whole number/],
    ['http', /whole number/],
    ['0x50', /whole number/],
    ['1e3', /whole number/],
    ['+80', /whole number/],
    ['0b11', /whole number/],
  ])('PORT=%s', (value, message) => {
    const [problem, ...others] = problemsOf({ PORT: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ variable: 'PORT', value: JSON.stringify(value) });
    expect(problem?.message).toMatch(message);
  });

  it.each([
    ['https://registry.test//mirror.test/x', 'https://registry.test//mirror.test/x'],
    ['https://registry.test//mirror.test]x/v2/', 'https://registry.test//mirror.test]x'],
  ])('REGSHIFT_UPSTREAM=%s names one host, whatever its path is', (value, expected) => {
    const { REGSHIFT_UPSTREAM: upstreams } = settingsOf({ REGSHIFT_UPSTREAM: value });
    expect(upstreams?.map(({ href }) => href)).toEqual([expected]);
  });

  it.each([
    'foo',
    'registry.example',
    'registry:5000',
    'ftp://registry.example/v2/',
    'https//a.test',
    'localhost:5000',
  ])('REGSHIFT_UPSTREAM=%s: the value is shown, because it has no place for a secret', (value) => {
    const message = 'must be a URL that begins with http:// or https://, like https://registry.example';
    for (const problem of problemsOf({ REGSHIFT_UPSTREAM: value })) {
      expect(problem).toEqual({ variable: 'REGSHIFT_UPSTREAM', value: JSON.stringify(value), message });
    }
    expect(problemsOf({ REGSHIFT_UPSTREAM: value })).not.toEqual([]);
  });

  it.each([
    ['hunter2', 'must be a URL that begins with http:// or https://, like https://registry.example'],
    [
      'me:secret@registry.example',
      'must be a URL that begins with http:// or https://, like https://registry.example',
    ],
    [
      'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2VjcmV0',
      'must be a URL that begins with http:// or https://, like https://registry.example',
    ],
    [
      'ftp://a.test/0123456789abcdef0123456789abcdef',
      'must be a URL that begins with http:// or https://, like https://registry.example',
    ],
    ['https://registry.example?x=1', 'must have no query and no fragment'],
    ['https://registry.example/#x', 'must have no query and no fragment'],
    ['https://me:secret@registry.example', 'must hold no user name or password: they would end up in logs'],
  ])('REGSHIFT_UPSTREAM=%s: it %s, and the value is not shown', (value, message) => {
    expect(problemsOf({ REGSHIFT_UPSTREAM: value })).toEqual([
      { variable: 'REGSHIFT_UPSTREAM', value: withheld, message },
    ]);
  });

  it('a name that is not a setting', () => {
    const [problem, ...others] = problemsOf({ REGSHIFT_UPSTREAMS: 'https://me:secret@x' });
    expect(others).toEqual([]);
    expect(problem?.variable).toBe('REGSHIFT_UPSTREAMS');
    expect(problem?.message).toBe('is not a setting: did you mean REGSHIFT_UPSTREAM?');
  });

  it.each(['REGSHIFT_SIGNING_KEYS', 'REGSHIFT_PASSWORD', 'REGSHIFT_MY_TOKEN', 'REGSHIFT_CLIENT_SECRET'])(
    'the value of %s, misspelt, is not shown: it may be a secret',
    (variable) => {
      expect(JSON.stringify(problemsOf({ [variable]: 'hush' }))).not.toContain('hush');
    },
  );
});

describe('HOST', () => {
  it.each([
    '0.0.0.0',
    '127.0.0.1',
    '::',
    '::1',
    'fe80::1%eth0',
    'localhost',
    'proxy.example.',
    'my_container',
    '4u.example',
  ])('%s is an address or a host name', (value) => {
    expect(settingsOf({ HOST: value }).HOST).toBe(value);
  });

  it.each([
    '999.1.1.1',
    '1.2.3',
    '0',
    '0177.0.0.1',
    '0x7f.1',
    '127.0.0.1:8080',
    '[::1]',
    '::1::',
    'http://0.0.0.0',
    '*',
    'a..b',
    '0.0.0.0/0',
  ])('%s is neither', (value) => {
    const message =
      'must be an IP address or a host name, without scheme and port: 0.0.0.0 for all addresses';
    expect(problemsOf({ HOST: value })).toEqual([
      { variable: 'HOST', value: JSON.stringify(value), message },
    ]);
  });
});

describe('one port for two servers', () => {
  const file = (...ports: number[]) =>
    JSON.stringify({
      upstreamAuth: 'anonymous',
      routes: [
        { match: { port: 5000 }, upstream: 'https://a.example' },
        { match: { port: ports }, upstream: 'https://b.example' },
      ],
    });
  const other = (than: string, free: number) =>
    `must be another port than ${than}: metrics and clients cannot share one. Set it to a free port, like ${free}`;

  it.each([
    [{ REGSHIFT_METRICS_PORT: '8080' }, other('PORT', 8081)],
    [{ PORT: '9090', REGSHIFT_METRICS_PORT: '9090', REGSHIFT_TAG_TTL: 'x' }, other('PORT', 9091)],
    [{ REGSHIFT_METRICS_PORT: '5001', REGSHIFT_CONFIG: file(5001) }, other('match.port of a route', 5002)],
  ])('%j is refused', (variables, message) => {
    const [problem] = problemsOf(variables).filter(({ variable }) => variable === 'REGSHIFT_METRICS_PORT');
    expect(problem).toMatchObject({ value: JSON.stringify(variables.REGSHIFT_METRICS_PORT), message });
  });

  it.each([
    { REGSHIFT_METRICS_PORT: '8081' },
    { PORT: '0', REGSHIFT_METRICS_PORT: '0' },
    { PORT: '5002', REGSHIFT_METRICS_PORT: '5002', REGSHIFT_CONFIG: file(5001) },
    { PORT: '5001', REGSHIFT_METRICS_PORT: '8080', REGSHIFT_CONFIG: file(5001) },
  ])('%j has two, or no server at PORT', (variables) => {
    expect(problemsOf(variables)).toEqual([]);
  });
});

describe('all problems are reported at once', () => {
  const problems = problemsOf({
    PORT: 'x',
    REGSHIFT_FORMAT: 'x',
    REGSHIFT_TAG_TTL: '-5',
    REGSHIFT_TYPO: '1',
  });

  it('each with its variable', () => {
    expect(problems.map(({ variable }) => variable)).toEqual([
      'PORT',
      'REGSHIFT_FORMAT',
      'REGSHIFT_TAG_TTL',
      'REGSHIFT_TYPO',
    ]);
  });

  it('one line each', () => {
    const [port, format, ttl, typo, ...others] = formatProblems(problems).split('\n');
    expect(others).toEqual([]);
    expect(port).toMatch(/^PORT is "x": it must be a whole number/);
    expect(format).toBe('REGSHIFT_FORMAT is "x": it must be auto, schema1, schema2, oci or generic');
    expect(ttl).toBe('REGSHIFT_TAG_TTL is "-5": it must be 0 or more seconds');
    expect(typo).toMatch(/^REGSHIFT_TYPO is not a setting:/);
  });
});

describe('the address of a registry', () => {
  const hrefOf = (text: string) => {
    const read = readSettings({ REGSHIFT_UPSTREAM: text });
    return 'settings' in read ? read.settings.REGSHIFT_UPSTREAM?.[0].href : formatProblems(read.problems);
  };

  it.each([
    ['https://registry.example', 'https://registry.example/'],
    ['https://registry.example/v2/', 'https://registry.example/'],
    ['https://registry.example/v2', 'https://registry.example/'],
    ['https://registry.example/v1/', 'https://registry.example/'],
    ['https://registry.example/api/docker/', 'https://registry.example/api/docker'],
    ['https://registry.example/api/docker/v2/', 'https://registry.example/api/docker'],
    ['https://registry.example/teamv2/', 'https://registry.example/teamv2'],
    ['https://index.docker.io/v1/', 'https://registry-1.docker.io/'],
    ['https://registry.hub.docker.com/v2/', 'https://registry-1.docker.io/'],
    ['https://DOCKER.io/', 'https://registry-1.docker.io/'],
  ])('may be written as %s', (text, href) => expect(hrefOf(text)).toBe(href));

  it('cannot be the website of Docker Hub', () => {
    expect(hrefOf('https://hub.docker.com/v2/')).toMatch(/must be https:\/\/docker\.io for Docker Hub/);
  });
});

describe('a password in a file', () => {
  const read = (text: string) =>
    readSettings(
      {
        REGSHIFT_UPSTREAM: 'https://registry.example',
        REGSHIFT_UPSTREAM_AUTH: 'basic',
        REGSHIFT_UPSTREAM_USERNAME: '_json_key',
        REGSHIFT_UPSTREAM_PASSWORD_FILE: '/run/secrets/key.json',
        REGSHIFT_CLIENT_AUTH: 'none',
      },
      () => text,
    );

  it('may have several lines, which all belong to it, and a line break at its end, which does not', () => {
    const settings = read('{\n  "type": "service_account"\n}\n');
    expect(settings).toMatchObject({
      settings: { REGSHIFT_UPSTREAM_PASSWORD: '{\n  "type": "service_account"\n}' },
    });
  });

  it.each(['', '\n', ' \n'])('that is empty is named: %j', (text) => {
    expect(read(text)).toMatchObject({
      raw: expect.not.objectContaining({ REGSHIFT_UPSTREAM_PASSWORD: expect.anything() }),
      problems: [
        {
          variable: 'REGSHIFT_UPSTREAM_PASSWORD_FILE',
          value: '(not shown)',
          message: 'must not be the path of an empty file',
        },
      ],
    });
  });
});
