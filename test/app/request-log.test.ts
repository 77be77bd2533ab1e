import { describe, expect, it } from 'vitest';
import { createAccessLog } from '../../src/http/access-log.ts';
import { createJsonLog } from '../../src/observability/log.ts';
import { asText } from '../../src/observability/log-format.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { readClientRequest } from '../../src/registry/client-request.ts';
import { createBudget } from '../../src/request/budget.ts';
import { type RequestHeaders, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const latest = '/v2/sample/oci/manifests/latest';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const requests = (app: ReturnType<typeof testApp>) =>
  app.logged.filter(({ message }) => message === 'request').map(({ facts }) => facts ?? {});
const keys = (facts: object | undefined) =>
  Object.entries(facts ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [key]));

describe('one line for each request', () => {
  it('has these fields and no others', async () => {
    const app = testApp({}, scriptedUpstream().fetch);
    await app.get(latest, [...docker113, ['traceparent', traceparent]]);
    await app.get('/v2/sample/absent/manifests/latest');
    const [good, bad] = requests(app);
    const always = ['client', 'route', 'resource', 'method', 'path', 'status'];
    const cost = ['cache', 'upstreamRequests', 'upstreamMilliseconds', 'milliseconds'];
    expect(keys(good).toSorted()).toEqual([...always, 'conversion', 'id', 'trace', ...cost].toSorted());
    expect(keys(bad).toSorted()).toEqual([...always, 'error', 'reason', 'id', ...cost].toSorted());
    expect(good).toMatchObject({
      trace: '0af7651916cd43dd8448eb211c80319c',
      client: 'docker/1.13.1',
      route: 'all',
      resource: 'manifest',
      method: 'GET',
      path: latest,
      status: 200,
      conversion: 'oci -> schema2',
      cache: 'upstream',
      // HEAD and GET of the manifest: the config needs no conversion.
      upstreamRequests: 2,
    });
    const unknown = { status: 404, error: 'MANIFEST_UNKNOWN', reason: expect.stringContaining('absent') };
    expect(bad).toMatchObject(unknown);
  });

  describe('that failed has the reason', () => {
    const lineOf = async (script: Script, path = latest, method = 'GET', settings = {}) => {
      const app = testApp(settings, scriptedUpstream(script).fetch);
      const answer = await app.send(method, path, docker113);
      const lines = app.logged.filter(({ message }) => message === 'request');
      expect(lines).toHaveLength(1);
      return { answer, level: lines[0]?.level, reason: undefined as unknown, ...lines[0]?.facts };
    };
    const refuse = (status: number) => () => specError(status, 'UNKNOWN');

    it.each([
      ['of the registry, found here', latest, 'GET', refuse(500), 500, 'UPSTREAM_ANSWER', /500/],
      [
        'of the registry, for a list',
        '/v2/sample/oci/tags/list',
        'GET',
        refuse(503),
        503,
        'UPSTREAM_ANSWER',
        /answered 503/,
      ],
      [
        'of the registry, passed on for a push',
        '/v2/a/b/blobs/uploads/',
        'POST',
        refuse(502),
        502,
        undefined,
        /status 502\.$/,
      ],
    ] as const)('at `warn` for a 5xx %s', async (_, path, method, script, status, error, reason) => {
      const settings = { REGSHIFT_PUSH: 'allow' };
      expect(await lineOf(script, path, method, settings)).toMatchObject({
        level: 'warn',
        status,
        error,
        reason: expect.stringMatching(reason),
      });
    });

    it.each([
      ['a name', '/v2/UPPER/manifests/1', 'GET', {}, 400, 'NAME_INVALID', /is not a repository name/],
      ['a path', '/nowhere', 'GET', {}, 404, 'ENDPOINT_UNKNOWN', /nothing at/],
      ['a repository', latest, 'GET', { REGSHIFT_REPOSITORIES: 'b/*' }, 404, 'NAME_UNKNOWN', /sample\/oci/],
      [
        'a push',
        '/v2/a/b/blobs/uploads/',
        'POST',
        { REGSHIFT_PUSH: 'refuse' },
        405,
        'METHOD_NOT_ALLOWED',
        /REGSHIFT_PUSH/,
      ],
    ] as const)(
      'at `info` for %s that regshift refuses',
      async (_, path, method, settings, status, error, why) => {
        const line = await lineOf(() => undefined, path, method, settings);
        expect(line).toMatchObject({ level: 'info', status, error, reason: expect.stringMatching(why) });
        expect(line.reason).toBe(line.answer.error().message);
      },
    );

    it('and the stack alone has a line before it, for a fault of regshift', async () => {
      const broken = () => {
        throw new RangeError('a fault in the test');
      };
      const app = testApp({ REGSHIFT_MAX_REQUESTS: '2' }, scriptedUpstream().fetch, { background: broken });
      await app.get('/v2/sample/index/manifests/latest', docker113);
      expect(app.logged.map(({ level, message }) => `${level} ${message}`)).toEqual([
        'error request failed',
        'warn request',
      ]);
      for (const { facts } of app.logged) expect(facts?.reason).toBe('a fault in the test');
    });

    it('at `info` where the client left, which is no fault', async () => {
      const leaving = new AbortController();
      const app = testApp({}, async (_, { signal }) => {
        leaving.abort();
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      });
      await app.send('GET', latest, docker113, { signal: leaving.signal });
      const [line, ...more] = app.logged;
      expect(more).toEqual([]);
      expect(line).toMatchObject({
        level: 'info',
        facts: { reason: 'The client left before the response.' },
      });
    });

    it('in 1,024 characters at most, without sealed parts of paths', () => {
      const { notes, ...request } = readClientRequest(new Request('http://regshift.test/'), '', '', {
        budget: createBudget(1),
        signal: undefined,
      });
      const reasonFor = (reason: string) => {
        const logged: unknown[] = [];
        const log = createAccessLog((_level, _message, facts) => logged.push(facts?.reason), noMetrics);
        const stats = { stats: undefined, trace: undefined, sent: undefined };
        log({ ...request, notes: { ...notes, reason } }, 404).ended({ id: 'x', milliseconds: 1, ...stats });
        return logged;
      };
      expect(reasonFor('Nothing at "/v1ctx/hush.a-b/c" here.')).toEqual(['Nothing at "/v1ctx/…/c" here.']);
      expect(reasonFor('"elsewhere.hush.a-b" is no upload.')).toEqual(['"elsewhere" is no upload.']);
      expect(reasonFor('/v2/a/blobs/uploads/elsewhere.hush?x')).toEqual(['/v2/a/blobs/uploads/elsewhere']);
      expect(reasonFor('"/v2/a/elsewhere%2Ehush/b" is')).toEqual(['"/v2/a/elsewhere/b" is']);
      expect(reasonFor('x'.repeat(2_000))).toEqual([`${'x'.repeat(1_024)}…`]);
    });
  });

  it('has at most 512 characters of the path', async () => {
    const app = testApp({ LOG_LEVEL: 'debug' }, scriptedUpstream().fetch);
    const long = `/v2/${'a'.repeat(30_000)}`;
    await app.get(long);
    const paths = app.logged.map(({ facts }) => facts?.path);
    expect(paths).toEqual([`${long.slice(0, 512)}…`]);
    expect(JSON.stringify(app.logged).length).toBeLessThan(2_500);
  });

  it('names the cache that the response came from', async () => {
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, scriptedUpstream().fetch);
    const sameWords = [docker113, docker113];
    for (const words of [...sameWords, [...docker113, ['Accept', 'x/y']] as const])
      await app.get(latest, words);
    expect(requests(app).map(({ cache, upstreamRequests }) => [cache, upstreamRequests])).toEqual([
      ['upstream', 2],
      ['held', 1],
      ['memory', 1],
    ]);
  });

  it('contains no login, no token, no query and nothing sealed', async () => {
    const login = `Basic ${btoa('alice:hush-hush')}`;
    const app = testApp({ LOG_LEVEL: 'debug' }, scriptedUpstream(privateTo(login)).fetch);
    const secret: RequestHeaders = [
      ...docker113,
      ['Authorization', login],
      ['Cookie', 'hush-cookie'],
      ['X-Docker-Token', 'hush-token'],
      ['Proxy-Authorization', 'Basic hush-proxy'],
      ['X-Request-Id', 'hush-id'],
      ['tracestate', 'hush=state'],
    ];
    await app.get(latest, secret);
    await app.get(`${latest}?password=hush-query`, secret);
    await app.get('/token?service=x&password=hush-query', secret);
    await app.send('PUT', '/v2/sample/oci/blobs/uploads/elsewhere.hush-sealed?digest=x', secret);
    for (const escaped of ['elsewhere%2Ehush-sealed', '%65lsewhere.hush-sealed', 'elsewhere.hush-%zz'])
      await app.send('PUT', `/v2/sample/oci/blobs/uploads/${escaped}?digest=x`, secret);
    await app.get('/v1ctx/hush-context/v1/images/x/json', secret);
    await app.get(latest, [...docker113, ['Authorization', 'Bearer hush-bearer']]);
    const text = JSON.stringify(app.logged);
    expect(requests(app)).toHaveLength(9);
    expect(text).not.toMatch(/hush/);
    expect(text).not.toContain(login.slice(6));
  });
});

describe('W3C trace context', () => {
  const state = 'vendor=opaque,other@tenant=1';
  const seenOf = async (headers: RequestHeaders) => {
    const upstream = scriptedUpstream();
    const seen: (string | null)[][] = [];
    const app = testApp({}, (url, init) => {
      const sent = new Headers(init.headers);
      seen.push([sent.get('traceparent'), sent.get('tracestate')]);
      return upstream.fetch(url, init);
    });
    await app.get(latest, headers);
    expect(seen.length).toBeGreaterThan(1);
    return seen;
  };

  it('is passed on with each request to upstream', async () => {
    for (const each of await seenOf({ traceparent, tracestate: state }))
      expect(each).toEqual([traceparent, state]);
  });

  it.each([
    ['no traceparent', { tracestate: state }],
    ['version ff', { traceparent: traceparent.replace(/^00/, 'ff') }],
    ['no trace', { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }],
    ['no parent', { traceparent: `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01` }],
    ['more fields than version 00 has', { traceparent: `${traceparent}-what` }],
    ['capitals', { traceparent: traceparent.toUpperCase() }],
  ] as const)('is not passed on when it is invalid: %s', async (_, headers) => {
    for (const each of await seenOf(headers)) expect(each).toEqual([null, null]);
  });

  it('is passed on without an invalid tracestate', async () => {
    for (const each of await seenOf({ traceparent, tracestate: 'no member' }))
      expect(each).toEqual([traceparent, null]);
  });
});

describe('lines', () => {
  const lines: string[] = [];
  const log = createJsonLog(
    'info',
    () => new Date(Date.UTC(2026, 0, 1)),
    (line) => lines.push(line),
  );

  it('are one JSON object each, with and without bound fields', () => {
    log('debug', 'not told');
    log('warn', 'Redis is "away"', { reason: 'a\nb' });
    log.bound?.({ client: 'x', left: undefined })('info', 'request', { status: 200 });
    log.bound?.({})('info', 'request');
    const time = '2026-01-01T00:00:00.000Z';
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 'warn', time, message: 'Redis is "away"', reason: 'a\nb' },
      { level: 'info', time, message: 'request', client: 'x', status: 200 },
      { level: 'info', time, message: 'request' },
    ]);
    expect(lines.join('')).not.toContain('\n');
  });

  it('can be printed as text, without control characters for terminals', () => {
    const facts = {
      method: 'GET',
      path: '/v2/\u001b[2J',
      status: 200,
      milliseconds: 3,
      client: 'a b',
      cache: 'held',
    };
    const line = JSON.stringify({
      time: '2026-01-01T18:39:37.000Z',
      level: 'info',
      message: 'request',
      ...facts,
    });
    expect(asText(line)).toBe('18:39:37 info  request GET /v2/?[2J 200 in 3 ms for a b cache=held');
    const other = {
      time: '2026-01-01T18:39:37.000Z',
      level: 'warn',
      message: 'Redis is away',
      reason: 'it is\ngone',
    };
    expect(asText(JSON.stringify(other))).toBe('18:39:37 warn  Redis is away reason="it is?gone"');
  });
});

describe('the number of requests in flight', () => {
  it('is limited, and a request beyond the limit gets 503 with Retry-After', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const upstream = scriptedUpstream();
    const slow = async (url: string, init: RequestInit) => {
      await promise;
      return upstream.fetch(url, init);
    };
    const app = testApp({ REGSHIFT_MAX_REQUESTS: '2' }, slow);
    const first = [app.get(latest, docker113), app.get(latest)];
    const refused = await app.get('/v2/sample/schema2/manifests/latest');
    expect([refused.status, refused.header('Retry-After'), refused.error().code]).toEqual([
      503,
      '5',
      'UNAVAILABLE',
    ]);
    expect((await app.get('/healthz')).status).toBe(200);
    resolve();
    for (const { status } of await Promise.all(first)) expect(status).toBe(200);
    expect((await app.get('/v2/sample/schema2/manifests/latest')).status).toBe(200);
  });
});

describe.each(['/livez', '/healthz'])('%s', (path) => {
  it('answers without upstream, a login or a line in the log', async () => {
    const app = testApp({}, () => Promise.reject(new Error('asked')));
    for (const answer of [await app.get(path), await app.head(path)]) expect(answer.status).toBe(200);
    expect((await app.get(path)).text()).toBe('ok\n');
    expect(app.logged).toEqual([]);
  });
});

describe('/readyz', () => {
  it('reports upstream and is ready without it; it pings upstream once in ten seconds', async () => {
    let asked = 0;
    let broken = false;
    const app = testApp({}, async () => {
      asked += 1;
      if (broken) throw new TypeError('fetch failed');
      return Response.json({}, { status: 200 });
    });
    const readiness = async () => JSON.parse((await app.get('/readyz')).text());
    for (const _ of [1, 2, 3])
      expect(await readiness()).toEqual({ ready: true, caches: {}, upstreams: { all: 'answers' } });
    expect(asked).toBe(1);
    broken = true;
    app.advance(10);
    expect(await readiness()).toMatchObject({ ready: true, upstreams: { all: 'UPSTREAM_UNREACHABLE' } });
  });

  it('reports a registry that requires a login as answering', async () => {
    const app = testApp({}, scriptedUpstream(privateTo('Basic x')).fetch);
    expect(JSON.parse((await app.get('/readyz')).text()).upstreams).toEqual({ all: 'answers' });
  });
});

describe('text of a client or a registry in a line of JSON', () => {
  it.each([
    ['a control sequence of a terminal', '\u009b31m', '\\u009b31m'],
    ['the end of a line for some readers', 'a\u0085b\u2028c', 'a\\u0085b\\u2028c'],
    ['another order of letters', '\u202e', '\\u202e'],
  ])('has escapes for invisible characters: %s', (_, text, expected) => {
    const lines: string[] = [];
    const log = createJsonLog(
      'info',
      () => new Date(0),
      (line) => lines.push(line),
    );
    log('info', text, { reason: text });
    log.bound?.({ client: text })('info', 'request', { id: 'é' });
    const [first = '', second = ''] = lines;
    expect(first).toContain(`"message":"${expected}","reason":"${expected}"`);
    expect(second).toContain(`"client":"${expected}","id":"é"`);
    expect(JSON.parse(first).reason).toBe(text);
  });
});
