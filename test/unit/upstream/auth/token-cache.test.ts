import { describe, expect, it, vi } from 'vitest';
import { createMemoryBudget } from '../../../../src/cache/memory-budget.ts';
import type { StaticCredential } from '../../../../src/upstream/auth/credential.ts';
import { createTokenCache } from '../../../../src/upstream/auth/token-cache.ts';
import type { TokenRequest } from '../../../../src/upstream/auth/token-request.ts';
import { testMemory } from '../../../support/memory.ts';
import { answer, type Handler, type LocalServer, startServer, startTokenServer } from '../local-server.ts';

const none: StaticCredential = { kind: 'none' };
const start = Date.parse('2026-01-01T00:00:00Z');

function sourceFor(server: LocalServer, changes: { upstream?: string; deadlineMs?: number } = {}) {
  const time = { now: start, moved: 0 };
  const source = createTokenCache({
    fetch: (url, init) => fetch(url, init),
    userAgent: 'regshift/test',
    clock: () => time.now,
    wallClock: () => new Date(time.now + time.moved),
    background: () => undefined,
    memory: testMemory(),
    upstream: new URL(changes.upstream ?? 'http://registry.example'),
    deadlineMs: changes.deadlineMs ?? 10_000,
  });
  const request = (more: Partial<TokenRequest> = {}): TokenRequest => ({
    realm: `${server.url.href}token`,
    service: 'registry.example',
    scopes: ['repository:a/b:pull'],
    credential: none,
    ...more,
  });
  return { source, time, request };
}

describe('what the token server is asked', () => {
  it.each<[string, Partial<TokenRequest>, string]>([
    ['service and scope', {}, '/token?service=registry.example&scope=repository%3Aa%2Fb%3Apull -'],
    [
      'several scopes',
      { scopes: ['repository:a:pull', 'repository:b:pull'] },
      '/token?service=registry.example&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull -',
    ],
    ['no service, no scope', { service: undefined, scopes: [] }, '/token -'],
    [
      "the client's Basic as it came",
      { scopes: [], credential: { kind: 'client', authorization: 'basic YTpi' } },
      '/token?service=registry.example basic YTpi',
    ],
    [
      "the proxy's own account",
      { scopes: [], credential: { kind: 'service', username: 'a', password: 'b' } },
      '/token?service=registry.example Basic YTpi',
    ],
    [
      "never a client's Bearer",
      { scopes: [], credential: { kind: 'client', authorization: 'Bearer abc' } },
      '/token?service=registry.example -',
    ],
  ])('%s', async (_, more, expected) => {
    const server = await startTokenServer();
    const { source, request } = sourceFor(server);
    expect(await source.get(request(more))).toEqual({ value: 'token-1', fresh: true });
    expect(server.log).toEqual([`GET ${expected}`]);
    expect(server.requests[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': 'regshift/test',
    });
  });

  it("the realm's own query too", async () => {
    const server = await startTokenServer();
    const { source, request } = sourceFor(server);
    await source.get(request({ realm: `${server.url.href}token?tenant=1#top`, scopes: [] }));
    expect(server.log).toEqual(['GET /token?tenant=1&service=registry.example -']);
  });
});

describe('a token is kept', () => {
  it.each<[string, Record<string, unknown>, number, number]>([
    ['60 s when expires_in is missing', {}, 47_999, 48_000],
    ['80 % of a short life', { expires_in: 30 }, 19_999, 20_000],
    ['80 % of a long life', { expires_in: 1000 }, 799_999, 800_000],
    ['60 s when expires_in is no number', { expires_in: 'soon' }, 47_999, 48_000],
    ['60 s when expires_in is 0', { expires_in: 0 }, 47_999, 48_000],
    ['60 s when expires_in is negative', { expires_in: -1 }, 47_999, 48_000],
    ['from issued_at on', { expires_in: 1000, issued_at: '2025-12-31T23:55:00Z' }, 499_999, 500_000],
    [
      'from now on when issued_at lies ahead',
      { expires_in: 1000, issued_at: '2027-01-01T00:00:00Z' },
      799_999,
      800_000,
    ],
    [
      'from now on when issued_at says that it is over: the clock of the server is behind',
      { expires_in: 300, issued_at: '2025-12-31T23:50:00Z' },
      239_999,
      240_000,
    ],
    ['whatever issued_at means', { expires_in: 1000, issued_at: 'today' }, 799_999, 800_000],
  ])('%s', async (_, fields, kept, renewed) => {
    const server = await startTokenServer(fields);
    const { source, time, request } = sourceFor(server);
    await source.get(request());
    time.now = start + kept;
    expect(await source.get(request())).toEqual({ value: 'token-1', fresh: false });
    time.now = start + renewed;
    expect(await source.get(request())).toEqual({ value: 'token-2', fresh: true });
  });

  it('an hour at most, however long the server says', async () => {
    const server = await startTokenServer({ expires_in: 315_360_000 });
    const { source, time, request } = sourceFor(server);
    await source.get(request());
    time.now = start + 3_599_999;
    expect((await source.get(request())).value).toBe('token-1');
    time.now = start + 3_600_000;
    expect((await source.get(request())).value).toBe('token-2');
  });

  it('with a timer that goes with it, when it makes room for others or is dropped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const memory = createMemoryBudget(1);
      const source = createTokenCache({
        fetch: async () => Response.json({ token: 't'.repeat(2_000), expires_in: 3600 }),
        userAgent: 'regshift/test',
        clock: () => start,
        wallClock: () => new Date(start),
        background: () => undefined,
        memory,
        upstream: new URL('http://registry.example'),
      });
      const request = (number: number): TokenRequest => ({
        realm: 'http://registry.example/token',
        ...{ service: undefined, scopes: [`repository:app-${number}:pull`], credential: none },
      });
      for (let number = 0; number < 500; number += 1) await source.get(request(number));
      const timers = vi.getTimerCount();
      expect(timers).toBeGreaterThan(10);
      expect(timers).toBeLessThan(100);
      source.drop(request(499), 't'.repeat(2_000));
      expect(vi.getTimerCount()).toBe(timers - 1);
      vi.runAllTimers();
      expect((await source.get(request(498))).fresh).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('from the request on, not from the response', async () => {
    const time = { now: start };
    const answered = vi.fn(async () => {
      time.now += 10_000;
      return Response.json({ token: `token-${answered.mock.calls.length}`, expires_in: 100 });
    });
    const source = createTokenCache({
      fetch: answered,
      userAgent: 'regshift/test',
      clock: () => time.now,
      wallClock: () => new Date(time.now),
      background: () => undefined,
      memory: testMemory(),
      upstream: new URL('http://registry.example'),
    });
    const realm = 'http://registry.example/token';
    const request: TokenRequest = { realm, service: undefined, scopes: [], credential: none };
    await source.get(request);
    time.now = start + 79_999;
    expect(await source.get(request)).toEqual({ value: 'token-1', fresh: false });
    time.now = start + 80_000;
    expect(await source.get(request)).toEqual({ value: 'token-2', fresh: true });
  });

  it.each([-1, 1])('as long, when the wall clock is moved by %i h meanwhile', async (hours) => {
    const server = await startTokenServer({ expires_in: 1000, issued_at: '2025-12-31T23:59:50Z' });
    const { source, time, request } = sourceFor(server);
    await source.get(request());
    time.moved = hours * 3_600_000;
    time.now = start + 789_999;
    expect(await source.get(request())).toEqual({ value: 'token-1', fresh: false });
    time.now = start + 790_000;
    expect(await source.get(request())).toEqual({ value: 'token-2', fresh: true });
  });

  it('for one realm, service, scope and credential only', async () => {
    const server = await startTokenServer();
    const { source, request } = sourceFor(server);
    const basic = (authorization: string): StaticCredential => ({ kind: 'client', authorization });
    const questions = [
      {},
      { realm: `${server.url.href}other` },
      { service: 'other' },
      { scopes: ['repository:other:pull'] },
      { credential: basic('Basic YTpi') },
      { credential: basic('Basic YTpj') },
    ];
    for (const round of [1, 2]) {
      for (const [index, question] of questions.entries()) {
        expect(await source.get(request(question))).toEqual({
          value: `token-${index + 1}`,
          fresh: round === 1,
        });
      }
    }
  });

  it('until it is dropped, but not when another has taken its place', async () => {
    const server = await startTokenServer();
    const { source, request } = sourceFor(server);
    await source.get(request());
    source.drop(request(), 'token-0');
    expect((await source.get(request())).value).toBe('token-1');
    source.drop(request(), 'token-1');
    expect((await source.get(request())).value).toBe('token-2');
  });

  it('when the server calls it access_token', async () => {
    const server = await startServer((_, response) =>
      answer(response, 200, '{"token":"","access_token":"abc"}'),
    );
    const { source, request } = sourceFor(server);
    expect((await source.get(request())).value).toBe('abc');
  });
});

describe('many at once', () => {
  it('share one request', async () => {
    const server = await startTokenServer();
    const { source, request } = sourceFor(server);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => source.get(request())));
    expect(new Set(tokens.map(({ value }) => value))).toEqual(new Set(['token-1']));
    expect(server.log).toHaveLength(1);
  });

  it('share a failure, and the next one tries again', async () => {
    const server = await startServer((_, response) =>
      server.log.length === 1 ? answer(response, 500) : answer(response, 200, '{"token":"abc"}'),
    );
    const { source, request } = sourceFor(server);
    const outcomes = await Promise.allSettled([source.get(request()), source.get(request())]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await source.get(request())).value).toBe('abc');
    expect(server.log).toHaveLength(2);
  });

  it('do not lose the token when the first of them gives up', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const server = await startServer((_, response) => {
      void released.then(() => answer(response, 200, '{"token":"abc"}'));
    });
    const { source, request } = sourceFor(server);
    const aborter = new AbortController();
    const first = source.get(request(), aborter.signal);
    const second = source.get(request());
    aborter.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    release();
    expect((await second).value).toBe('abc');
    expect(server.log).toHaveLength(1);
  });
});

describe('a token server that redirects', () => {
  const moved: Handler = ({ url }, response) =>
    url?.startsWith('/moved')
      ? answer(response, 200, '{"token":"abc"}')
      : answer(response, 307, '', { location: '/moved?scope=pull' });

  it('within its origin is followed, with the login', async () => {
    const server = await startServer(moved);
    const { source, request } = sourceFor(server);
    expect((await source.get(request())).value).toBe('abc');
    expect(server.log).toHaveLength(2);
  });

  it('to another origin is refused, and the other one is not asked', async () => {
    const other = await startServer((_, response) => answer(response, 200, '{"token":"abc"}'));
    const server = await startServer((_, response) =>
      answer(response, 307, '', { location: other.url.href }),
    );
    const { source, request } = sourceFor(server);
    await expect(source.get(request())).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
    expect(other.log).toEqual([]);
  });
});

const failures: [string, Handler, string, RegExp][] = [
  ['401', (_, response) => answer(response, 401), 'UNAUTHORIZED', /HOST.*401/],
  ['403', (_, response) => answer(response, 403), 'UNAUTHORIZED', /HOST.*403/],
  ['429', (_, response) => answer(response, 429, '', { 'retry-after': '7' }), 'RATE_LIMITED', /HOST/],
  ['500', (_, response) => answer(response, 500), 'UPSTREAM_ANSWER', /HOST.*500/],
  [
    'a redirect',
    (_, response) => answer(response, 302, '', { location: 'http://127.0.0.1:1/elsewhere' }),
    'UPSTREAM_ANSWER',
    /redirect/,
  ],
  ['HTML', (_, response) => answer(response, 200, '<html>secret'), 'UPSTREAM_ANSWER', /not JSON/],
  ['null', (_, response) => answer(response, 200, 'null'), 'UPSTREAM_ANSWER', /usable token/],
  [
    'no token',
    (_, response) => answer(response, 200, '{"expires_in":60}'),
    'UPSTREAM_ANSWER',
    /usable token/,
  ],
  [
    'a token that is a number',
    (_, response) => answer(response, 200, '{"token":1}'),
    'UPSTREAM_ANSWER',
    /usable/,
  ],
  [
    'a token no header can carry',
    (_, response) => answer(response, 200, '{"token":"secret\\r\\nx: y"}'),
    'UPSTREAM_ANSWER',
    /usable/,
  ],
  [
    '64 KiB and more',
    (_, response) => answer(response, 200, JSON.stringify({ token: 'x'.repeat(65_536) })),
    'UPSTREAM_ANSWER',
    /65536/,
  ],
  [
    'a broken connection',
    (_, response) => response.destroy(),
    'UPSTREAM_UNREACHABLE',
    /GET.*HOST.*UND_ERR_SOCKET/,
  ],
  ['no answer in time', () => {}, 'UPSTREAM_TIMEOUT', /HOST.*0\.2 s/],
  [
    'no body in time',
    (_, response) => void response.writeHead(200).write('{'),
    'UPSTREAM_TIMEOUT',
    /HOST.*0\.2 s/,
  ],
];

describe('a token server fails with', () => {
  it.each(failures)('%s', async (name, handler, code, message) => {
    const server = await startServer(handler);
    const { source, request } = sourceFor(server, { deadlineMs: 200 });
    const credential: StaticCredential = { kind: 'service', username: 'user', password: 'password' };
    const failure = await source.get(request({ credential })).catch((error) => error);
    expect(failure).toMatchObject({ name: 'RegistryError', code });
    expect(failure.message).toMatch(new RegExp(message.source.replace('HOST', server.host)));
    expect(failure.message).not.toMatch(/secret|password=|repository/);
    if (code === 'UPSTREAM_TIMEOUT') expect(failure.message).toContain('REGSHIFT_UPSTREAM_TIMEOUT sets');
    // A request whose connection is cut is sent once more: the server may just have closed an idle connection.
    expect(server.log).toHaveLength(name === 'a broken connection' ? 2 : 1);
    if (code === 'RATE_LIMITED') expect(failure.headers).toEqual({ 'retry-after': '7' });
  });

  it('a port where nothing listens', async () => {
    const server = await startServer(() => {});
    const { source, request } = sourceFor(server);
    await expect(source.get(request({ realm: 'http://127.0.0.1:9/token' }))).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
    });
  });

  it.each([
    ['http after https', 'https://registry.example', 'http://auth.example/token'],
    ['another scheme', 'https://registry.example', 'file:///token'],
    ['no URL', 'https://registry.example', '/token'],
    ['a user name in it', 'https://registry.example', 'https://a@auth.example/token'],
    ['a password in it', 'https://registry.example', 'https://:b@auth.example/token'],
  ])('a realm with %s, which is not even asked', async (_, upstream, realm) => {
    const asked = vi.fn();
    const source = createTokenCache({
      fetch: asked,
      userAgent: 'x',
      clock: () => 0,
      wallClock: () => new Date(0),
      background: () => undefined,
      memory: testMemory(),
      upstream: new URL(upstream),
    });
    const failing = source.get({ realm, service: undefined, scopes: [], credential: none });
    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER',
      message: expect.stringMatching(/^registry\.example .*(realm|over http)/),
    });
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('a fetch that never settles, as when a Worker has ended the request that began it', () => {
  it('holds each waiter for the deadline, and not the ones after it', async () => {
    const answers = [new Promise<Response>(() => {}), Promise.resolve(Response.json({ token: 'abc' }))];
    const source = createTokenCache({
      fetch: () => answers.shift() ?? Promise.reject(new Error('asked too often')),
      userAgent: 'x',
      clock: () => 0,
      wallClock: () => new Date(0),
      background: () => undefined,
      memory: testMemory(),
      upstream: new URL('https://registry.example'),
      deadlineMs: 20,
    });
    const request = { realm: 'https://auth.example/token', service: undefined, scopes: [], credential: none };
    const waiting = [source.get(request), source.get(request)];
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UPSTREAM_TIMEOUT' } });
    }
    expect((await source.get(request)).value).toBe('abc');
  });
});
