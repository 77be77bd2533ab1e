import { describe, expect, it, test } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { keyOf } from '../../src/config/keys.ts';
import type { SettingProblem } from '../../src/config/problem.ts';
import { type AppOptions, type AppSettings, createApp, SettingsError } from '../../src/runtime/web/index.ts';
import { ofConnections, ofServers } from '../../src/runtime/web/node-only.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { testSigningKey } from '../support/signing-key.ts';

const quiet: AppOptions = { writeLog: () => {} };
const samples = { REGSHIFT_UPSTREAM: 'sample' };

function request(path: string, client: OldClient = 'Docker 1.9.1'): Request {
  const headers = new Headers();
  for (const [name, value] of manifestRequestHeaders[client]) headers.append(name, value);
  return new Request(`http://my-app.test${path}`, { headers });
}

/** The problems of settings that are refused. */
function problemsOf(settings: object): readonly SettingProblem[] {
  try {
    createApp(settings);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('an embedded app', () => {
  it.each([
    ['Docker 1.9.1', mediaTypes.schema1Signed],
    ['Docker 1.13.1', mediaTypes.schema2],
  ] as const)('serves %s from the sample registry', async (client, type) => {
    const app = createApp({ ...samples, REGSHIFT_SIGNING_KEY: testSigningKey }, quiet);
    const response = await app.fetch(request('/v2/sample/oci/manifests/latest', client));
    expect(response.headers.get('Content-Type')).toBe(type);
    const text = new TextDecoder().decode(await response.arrayBuffer());
    if (client === 'Docker 1.9.1') expect(text).toContain(testSigningKey.x);
  });

  it('asks the registry by the fetch that it was given, from its first request on', async () => {
    const asked: string[] = [];
    const registry = createSampleRegistry();
    const app = createApp(
      { REGSHIFT_UPSTREAM: 'https://registry.example' },
      {
        ...quiet,
        fetch: (url, init) => {
          asked.push(`${init.method} ${url} ${init.redirect}`);
          return registry.fetch(url, init);
        },
      },
    );
    expect(asked).toEqual([]);
    expect((await app.fetch(request('/v2/'))).status).toBe(200);
    expect(asked).toEqual(['GET https://registry.example/v2/ manual']);
  });

  it('writes lines of JSON, from the level of the settings on', async () => {
    const lines: string[] = [];
    const writeLog = (line: string) => lines.push(line);
    await createApp(samples, { writeLog }).fetch(request('/v2/'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ message: 'request', status: 200 }]);
    await createApp({ ...samples, LOG_LEVEL: 'error' }, { writeLog }).fetch(request('/v2/'));
    expect(lines).toHaveLength(1);
  });

  it.each([
    ['198.51.100.7', mediaTypes.schema2],
    ['192.0.2.7', mediaTypes.ociManifest],
    [undefined, mediaTypes.ociManifest],
  ])('applies rules about networks by the address that it was given (%s)', async (clientAddress, type) => {
    const rule = { match: { network: '198.51.100.0/24' }, lacks: ['oci'] };
    const app = createApp({ ...samples, REGSHIFT_CLIENTS: [rule] }, quiet);
    const response = await app.fetch(request('/v2/sample/oci/manifests/latest', 'skopeo'), { clientAddress });
    expect(response.headers.get('Content-Type')).toBe(type);
  });

  it('has no files, and the log says how it gets a signing key that stays', async () => {
    const lines: string[] = [];
    const app = createApp(samples, { writeLog: (line) => lines.push(line) });
    expect((await app.fetch(request('/v2/sample/oci/manifests/latest'))).status).toBe(200);
    expect(lines.join('\n')).toContain(
      'set REGSHIFT_SIGNING_KEY to the output of npx regshift keygen --format jwk',
    );
  });

  it('gives work in the background to waitUntil', async () => {
    const works: Promise<unknown>[] = [];
    const app = createApp(samples, { ...quiet, waitUntil: (work) => works.push(work) });
    await (await app.fetch(request('/v2/sample/oci/manifests/latest'))).arrayBuffer();
    expect(works.length).toBeGreaterThan(0);
    await Promise.all(works);
  });

  it.each([
    ['10.0.0.1', true],
    ['192.0.2.1', false],
  ])('believes the X-Request-Id of a trusted proxy alone (%s)', async (clientAddress, isTrusted) => {
    const app = createApp({ ...samples, REGSHIFT_TRUSTED_PROXIES: '10.0.0.0/8' }, quiet);
    const asked = new Request('http://my-app.test/v2/', { headers: { 'x-request-id': 'mine' } });
    const response = await app.fetch(asked, { clientAddress });
    expect(response.headers.get('X-Request-Id') === 'mine').toBe(isTrusted);
  });

  it('takes no other value than text for an address', async () => {
    // Hono's `mount` gives the environment as the second argument.
    const facts = { clientAddress: { incoming: true } } as unknown as { clientAddress: string };
    expect((await createApp(samples, quiet).fetch(request('/v2/'), facts)).status).toBe(200);
  });

  it('needs a signing key for registry API v1 and for nothing else', async () => {
    const images = '/v1/repositories/sample/oci/images';
    const without = createApp(samples, quiet);
    expect((await without.fetch(request('/v2/sample/oci/manifests/latest'))).status).toBe(200);
    const refused = await without.fetch(request(images));
    expect(await refused.text()).toContain('REGSHIFT_SIGNING_KEY is not set, and this needs it here');
    const served = createApp({ ...samples, REGSHIFT_SIGNING_KEY: testSigningKey }, quiet);
    expect((await served.fetch(request(images))).status).toBe(200);
  });
});

describe('the app around regshift', () => {
  const manifest = '/v2/sample/oci/manifests/latest';
  const fails = {
    'throws an exception': () => {
      throw new Error('a fault in the test');
    },
    rejects: () => Promise.reject(new Error('a fault in the test')),
  };

  it.each(['writeLog', 'waitUntil'] as const)('fails no pull by a %s that fails', async (part) => {
    for (const fail of Object.values(fails)) {
      const app = createApp(samples, { ...quiet, [part]: fail });
      expect((await app.fetch(request(manifest))).status).toBe(200);
    }
  });

  it.each(Object.entries(fails))('finds a waitUntil that %s in the log once', async (_, waitUntil) => {
    const lines: string[] = [];
    const app = createApp(samples, { waitUntil, writeLog: (line) => lines.push(line) });
    for (const name of ['oci', 'index']) await app.fetch(request(`/v2/sample/${name}/manifests/latest`));
    const found = lines.filter((line) => line.includes('the waitUntil that createApp was given fails'));
    expect(found).toEqual([expect.stringContaining('"reason":"a fault in the test"')]);
  });

  it.each([
    ['an exception', fails['throws an exception'], 'a fault in the test'],
    ['the query of no address', () => Promise.reject(new Error('no https://s.example/a?sig=1')), 'a?…'],
    [
      'a value that is no response',
      () => Promise.resolve(undefined),
      'it gave undefined in place of a Response',
    ],
    [
      'a body that is no stream of the web',
      async () => ({ status: 200, headers: new Headers(), body: { pipe: () => undefined } }),
      'it gave an object (Object) in place of a Response',
    ],
  ])('finds the reason of a fetch that fails in the log: %s', async (_, send, reason) => {
    const lines: string[] = [];
    const options = { fetch: send as never, writeLog: (line: string) => lines.push(line) };
    const app = createApp({ REGSHIFT_UPSTREAM: 'https://registry.example' }, options);
    const response = await app.fetch(request(manifest));
    expect(await response.text()).toContain('HEAD to registry.example failed (');
    const line = JSON.parse(lines.find((each) => each.includes('createApp was given')) ?? '{}');
    expect(line).toMatchObject({ level: 'warn', host: 'registry.example' });
    expect(line.reason).toContain(reason);
    expect(lines.join()).not.toContain('sig=1');
  });

  it('is told of requests that are none of the web', async () => {
    const app = createApp(samples, quiet);
    const others = [undefined, 'http://my-app.test/v2/', { url: '/v2/', headers: { host: 'my-app.test' } }];
    for (const other of others as unknown as Request[]) {
      expect(() => app.handles(other)).toThrow('regshift needs a Request of the web, and got');
      await expect(app.fetch(other)).rejects.toThrow('getRequestListener of @hono/node-server makes one');
    }
  });

  it.each([
    ['PUT', '/v2/by/host/manifests/1.0', '{"schemaVersion":2}'],
    ['PATCH', '/v2/by/host/blobs/uploads/1', 'bytes of a layer'],
  ])('is told that it has read the body of a %s', async (method, path, body) => {
    const lines: string[] = [];
    const app = createApp(
      { REGSHIFT_UPSTREAM: 'https://registry.example' },
      { fetch: async () => new Response(null, { status: 401 }), writeLog: (line) => lines.push(line) },
    );
    const pushed = new Request(`http://my-app.test${path}`, { method, body });
    await pushed.text();
    const response = await app.fetch(pushed);
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining('The app around regshift has read the body of this request'),
    ]);
    expect(lines.join()).toContain('has read the body');
  });

  it('gets no work in the background that rejects', async () => {
    const works: Promise<unknown>[] = [];
    const send = () => Promise.reject(new Error('a fault in the test'));
    const options = { ...quiet, fetch: send, waitUntil: (work: Promise<unknown>) => works.push(work) };
    const app = createApp({ REGSHIFT_UPSTREAM: 'https://registry.example' }, options);
    expect((await app.fetch(request(manifest))).status).toBe(502);
    expect(works.length).toBeGreaterThan(0);
    await Promise.all(works);
  });

  it('may give no facts', async () => {
    expect((await createApp(samples, quiet).fetch(request('/v2/'), null)).status).toBe(200);
  });

  it('may give no options', () => expect(createApp(samples, null).handles(request('/v2/'))).toBe(true));

  it.each(['writeLog', 'waitUntil', 'fetch'])('is told of a %s that is no function', (part) => {
    expect(() => createApp(samples, { [part]: 5 })).toThrow(`createApp: ${part} must be a function`);
  });

  it('gets no fault for a request that was aborted before', async () => {
    const lines: string[] = [];
    const app = createApp(samples, { writeLog: (line) => lines.push(line) });
    const aborted = new Request(request(manifest), { signal: AbortSignal.abort() });
    expect((await app.fetch(aborted)).status).toBe(499);
    const [line = '{}', ...more] = lines;
    const { level, error, reason } = JSON.parse(line);
    expect([level, error, reason]).toEqual(['info', undefined, 'The client left before the response.']);
    expect(more).toEqual([]);
  });
});

describe('the paths of an embedded app', () => {
  const app = createApp(samples, quiet);

  it.each(['/v2', '/v2/', '//v2/', '/v2/a/tags/list', '/v1/_ping', '/v1ctx/x/v1/_ping', '/token?service=x'])(
    '%s is of the registry APIs',
    (path) => expect(app.handles(request(path))).toBe(true),
  );

  it.each([
    '/',
    '/healthz',
    '/readyz',
    '/events',
    '/page/page.js',
    '/v2x',
    '/v1x',
    '/tokens',
    '/a/v2/',
    '/?/v2/',
  ])('%s is left to the app around it', (path) => expect(app.handles(request(path))).toBe(false));
});

describe('the settings of an embedded app', () => {
  const accepted: readonly AppSettings[] = [
    samples,
    { ...samples, REGSHIFT_TAG_TTL: 60, REGSHIFT_FORMAT: 'schema1' },
    { REGSHIFT_TAG_TTL: '60', REGSHIFT_CONFIG: { routes: [{ upstream: 'https://registry.example' }] } },
    { ...samples, REGSHIFT_CLIENTS: [{ match: { userAgent: 'x/*' }, lacks: ['oci'] }] },
    {
      ...samples,
      REGSHIFT_STORE: 's3://bucket/x?region=eu-central-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    },
  ];

  test.each(accepted)('%j is accepted', (settings) => expect(problemsOf(settings)).toEqual([]));

  test('an environment with other variables is accepted as it is', () => {
    const environment = {
      PATH: '/bin',
      PORT: '80',
      HOST: '0.0.0.0',
      ENGINE: undefined,
      RECIPES: { get() {} },
    };
    expect(problemsOf({ ...samples, ...environment, REGSHIFT_FORMAT: '' })).toEqual([]);
  });

  test('all problems are reported together, as the command line reports them', () => {
    const create = () =>
      createApp({ ...samples, REGSHIFT_FORMAT: 'v1', REGSHIFT_TAG_TTL: -1, ...{ REGSHIFT_TAGTTL: 1 } });
    expect(create).toThrow(SettingsError);
    expect(create).toThrow(
      [
        'regshift cannot start with these settings:',
        'REGSHIFT_FORMAT is "v1": it must be auto, schema1, schema2, oci or generic',
        'REGSHIFT_TAG_TTL is "-1": it must be 0 or more seconds',
        'REGSHIFT_TAGTTL is not a setting: did you mean REGSHIFT_TAG_TTL?',
      ].join('\n'),
    );
  });

  test.each([undefined, null, 'https://registry.example', 5])('%s in their place is refused', (settings) => {
    expect(() => createApp(settings as unknown as AppSettings)).toThrow(
      'createApp needs the settings as its first argument',
    );
  });

  test('a registry must be named', () => {
    expect(() => createApp({})).toThrow(
      'REGSHIFT_UPSTREAM is not set: it must be the URL of your registry, like https://registry.example, in an embedded app',
    );
  });

  const circle: Record<string, unknown> = {};
  circle.itself = circle;

  test.each([
    ['a function', 'REGSHIFT_TAG_TTL', () => 1],
    ['a symbol', 'REGSHIFT_TAG_TTL', Symbol('a')],
    ['an object of a class', 'REGSHIFT_CONFIG', new Map()],
    ['an object that holds itself', 'REGSHIFT_CONFIG', circle],
    ['an object', 'LOG_LEVEL', {}],
  ])('%s is no value of %s', (_, variable, value) => {
    const problems = problemsOf({ ...samples, [variable]: value });
    expect(problems).toMatchObject([{ variable, message: expect.stringMatching(/^must be text, a number/) }]);
  });

  test('a value that is no text counts as set', () => {
    const settings = { REGSHIFT_UPSTREAM: new URL('https://registry.example'), REGSHIFT_FORMAT: 'v1' };
    expect(problemsOf(settings).map(({ variable }) => variable)).toEqual([
      'REGSHIFT_UPSTREAM',
      'REGSHIFT_FORMAT',
    ]);
  });

  const { x, y } = testSigningKey;
  const pkcs8 = (body: string) => `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`;

  test.each([
    ['a word', 'hunter2'],
    ['a public key', { kty: 'EC', crv: 'P-256', x, y }],
    ['a key of another curve', { ...testSigningKey, crv: 'P-384' }],
    ['no key in PEM', pkcs8('aHVudGVyMg==')],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----'],
  ])('%s is refused as a signing key, without its text', (_, key) => {
    const problems = problemsOf({ ...samples, REGSHIFT_SIGNING_KEY: key });
    expect(problems).toMatchObject([
      {
        variable: 'REGSHIFT_SIGNING_KEY',
        message: expect.stringMatching(/^cannot be used: The signing key/),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('a signing key of halves that do not belong together fails each request', async () => {
    const app = createApp({ ...samples, REGSHIFT_SIGNING_KEY: { ...testSigningKey, x: y, y: x } }, quiet);
    for (const path of ['/v2/', '/healthz']) {
      const response = await app.fetch(request(path));
      expect(response.status).toBe(503);
      expect(await response.text()).toContain('REGSHIFT_SIGNING_KEY cannot be used: The signing key');
    }
  });

  test.each([
    ['REGSHIFT_REDIS_URL', 'redis://h'],
    ['REGSHIFT_TLS_CERT', 'x'],
    ['REGSHIFT_TLS_KEY', 'x'],
    ['REGSHIFT_UPSTREAM_CERT', 'x'],
    ['REGSHIFT_UPSTREAM_KEY', 'x'],
    ['REGSHIFT_METRICS_PORT', 9090],
  ])('%s alone is refused at once, and nothing that would belong to it is asked for', (variable, value) => {
    const refused = { variable, message: expect.stringMatching(/^must be left out in an embedded app/) };
    expect(problemsOf({ ...samples, [variable]: value })).toMatchObject([refused]);
    const key = keyOf(variable);
    expect(problemsOf({ ...samples, REGSHIFT_CONFIG: { [key]: value } })).toMatchObject([
      { ...refused, variable: key },
    ]);
  });

  test('an account of the app without a login of clients is refused', () => {
    const account = { REGSHIFT_UPSTREAM_USERNAME: 'robot', REGSHIFT_UPSTREAM_PASSWORD: 'hunter2' };
    const settings = {
      REGSHIFT_UPSTREAM: 'https://registry.example',
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      ...account,
    };
    expect(problemsOf(settings).map(({ variable }) => variable)).toEqual(['REGSHIFT_CLIENT_AUTH']);
  });

  const pem = (what: string) => `-----BEGIN ${what}-----\nhunter2\n-----END ${what}-----\n`;
  const values: Readonly<Record<(typeof ofServers | typeof ofConnections)[number], string>> = {
    REGSHIFT_TLS_CERT: pem('CERTIFICATE'),
    REGSHIFT_TLS_KEY: pem('PRIVATE KEY'),
    REGSHIFT_METRICS_PORT: '9090',
    REGSHIFT_UPSTREAM_PROXY: 'http://user:hunter2@proxy.example:3128',
    REGSHIFT_UPSTREAM_CA: pem('CERTIFICATE'),
    REGSHIFT_UPSTREAM_CERT: pem('CERTIFICATE'),
    REGSHIFT_UPSTREAM_KEY: pem('PRIVATE KEY'),
    REGSHIFT_UPSTREAM_INSECURE: 'true',
  };

  test('settings that only Node has are refused, without their values', () => {
    const all = { REGSHIFT_UPSTREAM: 'https://registry.example', ...values };
    const problems = problemsOf(all);
    expect(problems.map(({ variable }) => variable)).toEqual([...ofServers, ...ofConnections]);
    for (const { message } of problems) expect(message).toContain('must be left out in an embedded app');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test.each([
    ['a Redis', { REGSHIFT_REDIS_URL: 'redis://:hunter2@h', REGSHIFT_SIGNING_KEY: testSigningKey }],
    ['a folder', { REGSHIFT_STORE: 'file:///var/lib/hunter2' }],
    ['a file of a secret', { REGSHIFT_SIGNING_KEY_FILE: '/run/hunter2' }],
    ['the role of a machine', { REGSHIFT_STORE: 's3://hunter2?region=eu-central-1' }],
  ])('%s is refused', (_, settings) => {
    const problems = problemsOf({ ...samples, ...settings });
    expect(problems).toHaveLength(1);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});
