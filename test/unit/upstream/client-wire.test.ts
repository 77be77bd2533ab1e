import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createHttpFetch } from '../../../src/runtime/node/http/fetch.ts';
import { readBounded } from '../../../src/upstream/body.ts';
import { createUpstreamClient, type Fetch, type UpstreamRequest } from '../../../src/upstream/client.ts';
import { testMemory } from '../../support/memory.ts';
import { answer, challenge, startRegistry, startServer, startTokenServer } from './local-server.ts';

const ping: UpstreamRequest = { method: 'GET', path: '/v2/', credential: { kind: 'none' } };
const pull: UpstreamRequest = { ...ping, path: '/v2/a/manifests/b', repository: 'a' as RepositoryName };
const blob: UpstreamRequest = {
  method: 'GET',
  path: '/v2/a/blobs/x?signature=secret',
  credential: { kind: 'client', authorization: 'Basic YTpi' },
};

function clientOf(baseUrl: string | URL, changes: Partial<Parameters<typeof createUpstreamClient>[0]> = {}) {
  return createUpstreamClient({
    baseUrl: new URL(baseUrl),
    fetch: (url, init) => fetch(url, init),
    userAgent: 'regshift/test',
    clock: () => 0,
    wallClock: () => new Date(0),
    allowAnonymousTokens: true,
    background: () => undefined,
    memory: testMemory(),
    ...changes,
  });
}

const text = async (response: Response) => new TextDecoder().decode(await readBounded(response, 999, 'it'));

describe('a request', () => {
  it('asks for identity, under its own name, whatever the caller says', async () => {
    const { url, requests } = await startServer((_, response) => answer(response, 200));
    const headers = { 'accept-encoding': 'gzip', 'user-agent': 'docker/1.9.1', accept: 'a/b' };
    await clientOf(url).request({ ...ping, headers });
    expect(requests[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': 'regshift/test',
      accept: 'a/b',
    });
  });

  it('hands on a Range, to which fetch adds identity by itself', async () => {
    const { url, requests } = await startServer((_, response) => answer(response, 206));
    await clientOf(url).request({ ...ping, headers: { range: 'bytes=5-' } });
    expect(requests[0]?.headers).toMatchObject({
      'accept-encoding': expect.stringMatching(/^identity(, identity)?$/),
      range: 'bytes=5-',
    });
  });

  it.each([
    ['', '', '/v2/'],
    ['/', '', '/v2/'],
    ['/prefix', '/prefix', '/prefix/v2/'],
    ['/a/prefix/', '/a/prefix', '/a/prefix/v2/'],
    ['/prefix?x=1#y', '/prefix', '/prefix/v2/'],
  ])('goes below the base path %j', async (base, id, expected) => {
    const { url, log } = await startServer((_, response) => answer(response, 200));
    const upstream = clientOf(`${url.origin}${base}`);
    expect(upstream.id).toBe(`${url.origin}${id}`);
    await upstream.request({ ...ping, path: '/v2/?n=1' });
    expect(log).toEqual([`GET ${expected}?n=1 -`]);
  });

  it.each(['/v1/', 'v2/', '/v2/../v1/', '/v2/%2e%2e/%2E./admin', '.example/v2/', '@evil.example/v2/'])(
    'never leaves /v2/, as %j would',
    async (path) => {
      const asked = vi.fn();
      const upstream = clientOf('https://registry.example/prefix', { fetch: asked });
      await expect(upstream.request({ ...ping, path })).rejects.toThrow();
      expect(asked).not.toHaveBeenCalled();
    },
  );

  it('by HEAD is one through challenge and redirect, and its length is kept', async () => {
    const tokens = await startTokenServer();
    const storage = await startServer((_, response) =>
      answer(response, 200, '', { 'content-length': '1234' }),
    );
    const registry = await startServer((request, response) => {
      if (request.headers.authorization === undefined) {
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}"`, 'content-length': '77' })
          .end();
      } else answer(response, 303, '', { location: `${storage.url}data` });
    });
    const { response } = await clientOf(registry.url).request({ ...pull, method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '1234']);
    expect(await response.text()).toBe('');
    expect(registry.log).toEqual(['HEAD /v2/a/manifests/b -', 'HEAD /v2/a/manifests/b Bearer token-1']);
    expect(storage.log).toEqual(['HEAD /data -']);
  });

  it('gives up the body of the 401 that it answers with a token', async () => {
    const cancel = vi.fn();
    const answers = [
      new Response(new ReadableStream({ cancel }), {
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="https://auth.example/"' },
      }),
      Response.json({ token: 'abc' }),
      new Response('content'),
    ];
    const upstream = clientOf('https://registry.example', { fetch: async () => answers.shift() as Response });
    expect(await text((await upstream.request(pull)).response)).toBe('content');
    expect(cancel).toHaveBeenCalledOnce();
  });
});

describe('a redirect', () => {
  it('within the registry keeps the login', async () => {
    const registry = await startServer((request, response) => {
      if (request.url === '/v2/moved') answer(response, 200, 'content');
      else answer(response, 308, '', { location: '/v2/moved' });
    });
    const { response } = await clientOf(registry.url).request(blob);
    expect(await text(response)).toBe('content');
    expect(registry.log[1]).toBe('GET /v2/moved Basic YTpi');
  });

  it('to another origin loses it, on the way back too', async () => {
    const registry = await startServer((request, response) => {
      if (request.url === '/back') answer(response, 200, 'content');
      else answer(response, 307, '', { location: `${storage.url}data` });
    });
    const storage = await startServer((_, response) =>
      answer(response, 302, '', { location: `${registry.url}back` }),
    );
    expect(await text((await clientOf(registry.url).request(blob)).response)).toBe('content');
    expect(registry.requests[0]?.headers.authorization).toBe('Basic YTpi');
    expect(storage.log).toEqual(['GET /data -']);
    expect(registry.log[1]).toBe('GET /back -');
  });

  it('is handed back where the caller wants it', async () => {
    const registry = await startServer((_, response) =>
      answer(response, 307, '', { location: 'https://b/' }),
    );
    const { response } = await clientOf(registry.url).request({ ...blob, redirects: 'return' });
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://b/']);
  });

  it('to one who asks for a login ends there', async () => {
    const tokens = await startTokenServer();
    const other = await startServer((_, response) => challenge(response, `Bearer realm="${tokens.url}"`));
    const registry = await startServer((_, response) =>
      answer(response, 307, '', { location: other.url.href }),
    );
    await expect(clientOf(registry.url).request(blob)).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER',
      message: expect.stringContaining(other.url.origin),
    });
    expect(tokens.log).toEqual([]);
  });
});

describe('an upstream that cannot be reached', () => {
  it('is named with what Node hides, without path and query', async () => {
    const failure = await clientOf('http://127.0.0.1:1')
      .request(blob)
      .catch((error) => error);
    const refused = await clientOf('http://127.0.0.1:2', { fetch: refusing('ECONNREFUSED') })
      .request(blob)
      .catch((error) => error);
    for (const { code, message } of [failure, refused]) {
      expect(code).toBe('UPSTREAM_UNREACHABLE');
      expect(message).toMatch(/^GET to 127\.0\.0\.1:[12] /);
      expect(message).not.toMatch(/secret|blobs|YTpi/);
    }
    expect(refused.message).toContain('ECONNREFUSED: nothing listens');
  });

  it.each<[string, Fetch, RegExp]>([
    ['on a port without a listener', (url, init) => fetch(url, init), /ECONNREFUSED/],
    ['in the DNS', refusing('ENOTFOUND'), /ENOTFOUND.*DNS/],
    ['without a file descriptor', refusing('EMFILE'), /EMFILE: this process has too many open files/],
    ['in a machine without one', refusing('ENFILE'), /ENFILE: this machine has too many open files/],
    ['without a local port', refusing('EADDRNOTAVAIL'), /EADDRNOTAVAIL: no local port/],
    ['at one of two addresses', both('ECONNREFUSED'), /ECONNREFUSED/],
    ['for a reason unknown', refusing('ENEW'), /ENEW: check the address/],
    [
      'without a reason',
      () => Promise.reject(new Error('Network connection lost: secret')),
      /\(check the address/,
    ],
  ])('%s', async (_, failing, message) => {
    const port = await freePort();
    await expect(
      clientOf(`http://127.0.0.1:${port}`, { fetch: failing }).request(blob),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
      message: expect.stringMatching(message),
    });
  });
});

describe('the deadline', () => {
  it('ends the wait for headers', async () => {
    const { url, host } = await startServer(() => {});
    await expect(clientOf(url, { headersDeadlineMs: 50 }).request(blob)).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: `GET to ${host} had no answer within 0.05 s. Check that it is healthy, and try again. REGSHIFT_UPSTREAM_TIMEOUT sets the limit.`,
    });
  });

  it.each([
    ['that writes', { method: 'POST' }],
    ['that deletes', { method: 'DELETE' }],
    ['for a blob that passes to a client', { mayStandStill: true }],
  ] as const)('leaves a request %s more time, up to a standstill', async (_, changes) => {
    const { url } = await startServer((_, response) => setTimeout(() => answer(response, 202), 150));
    const limits = { headersDeadlineMs: 50, standstillMs: 2_000 };
    const { response } = await clientOf(url, limits).request({ ...blob, ...changes });
    expect(response.status).toBe(202);
    await expect(
      clientOf(url, { ...limits, standstillMs: 60 }).request({ ...blob, ...changes }),
    ).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('is shorter for each read where another registry can answer, and not for a write', async () => {
    const { url } = await startServer((_, response) => setTimeout(() => answer(response, 202), 150));
    const client = clientOf(url, { failoverMs: 50 });
    for (const changes of [{}, { mayStandStill: true }]) {
      await expect(client.request({ ...blob, ...changes })).rejects.toMatchObject({
        code: 'UPSTREAM_TIMEOUT',
        message: expect.stringMatching(/within 0\.05 s\. Check that it is healthy, and try again\.$/),
      });
    }
    expect((await client.request({ ...blob, method: 'POST' })).response.status).toBe(202);
  });

  it('of a body is a standstill of both directions: a registry that has read it may think', async () => {
    const { url } = await startServer((request, response) => {
      const thinkMs = request.method === 'PUT' ? 300 : 0;
      request.resume().on('end', () => setTimeout(() => answer(response, 201), thinkMs));
    });
    const put = () => ({ ...blob, method: 'PUT' as const, body: new Blob(['content']).stream() });
    const fetch = createHttpFetch();
    const patient = clientOf(url, { fetch, headersDeadlineMs: 100, standstillMs: 3_000 });
    expect((await patient.request(put())).response.status).toBe(201);
    const impatient = clientOf(url, { fetch, headersDeadlineMs: 3_000, standstillMs: 100 });
    await expect(impatient.request(put())).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: expect.stringContaining('stood still: no byte was sent or received for 0.1 s'),
    });
  });

  it('counts redirects as one wait', async () => {
    const { url, log } = await startServer((_, response) => {
      setTimeout(() => answer(response, 302, '', { location: '/v2/' }), 40);
    });
    await expect(clientOf(url, { headersDeadlineMs: 100 }).request(ping)).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    });
    expect(log.length).toBeLessThan(5);
  });

  it('leaves a body its time', async () => {
    const { url } = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': '4' }).write('ab');
      setTimeout(() => response.end('cd'), 200);
    });
    const { response } = await clientOf(url, { headersDeadlineMs: 50 }).request(ping);
    expect(await text(response)).toBe('abcd');
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers();
    try {
      const upstream = clientOf('https://registry.example', { fetch: async () => new Response('content') });
      await upstream.request(ping);
      expect(vi.getTimerCount()).toBe(0);
      const failing = clientOf('https://registry.example', { fetch: refusing('ECONNRESET') });
      await expect(failing.request(ping)).rejects.toThrow();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

// The error of workerd 1.20261102.1 for a closed connection. It has no code.
describe('a connection that Workers lost', () => {
  const lost = Object.assign(new Error('Network connection lost.'), { retryable: true });

  it.each<[what: string, method: 'GET' | 'POST', error: Error, sent: number]>([
    ['sends a GET once more', 'GET', lost, 2],
    ['sends a GET once more if it is the cause', 'GET', new TypeError('failed', { cause: lost }), 2],
    ['sends no POST again', 'POST', lost, 1],
    ['is told from other errors', 'GET', Object.assign(new Error('lost'), { retryable: false }), 1],
  ])('%s', async (_, method, error, sent) => {
    const fetch = vi.fn<Fetch>(() => Promise.reject(error));
    const upstream = clientOf('https://registry.example', { fetch });
    await expect(upstream.request({ ...ping, method })).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
    });
    expect(fetch).toHaveBeenCalledTimes(sent);
  });
});

describe("the caller's signal", () => {
  it('asks nothing when it has aborted already', async () => {
    const asked = vi.fn();
    const reason = new Error('gone');
    const upstream = clientOf('https://registry.example', { fetch: asked });
    await expect(upstream.request({ ...ping, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(asked).not.toHaveBeenCalled();
  });

  it('ends the wait for headers, with its own reason', async () => {
    const aborter = new AbortController();
    const reason = new Error('gone');
    const { url } = await startServer(() => aborter.abort(reason));
    await expect(clientOf(url).request({ ...ping, signal: aborter.signal })).rejects.toBe(reason);
  });

  it('ends the wait for a token', async () => {
    const aborter = new AbortController();
    const tokens = await startServer(() => aborter.abort());
    const registry = await startRegistry(
      () => 'never',
      () => `Bearer realm="${tokens.url}"`,
    );
    await expect(clientOf(registry.url).request({ ...pull, signal: aborter.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('ends a body, and upstream sees it', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { url } = await startServer((request, response) => {
      request.socket.on('close', () => resolve());
      response.writeHead(200).write('ab');
    });
    const aborter = new AbortController();
    const { response } = await clientOf(url, { headersDeadlineMs: 50 }).request({
      ...ping,
      signal: aborter.signal,
    });
    await sleep(100);
    const reading = response.text();
    aborter.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await closed;
  });

  it('is left without a listener', async () => {
    const tokens = await startTokenServer();
    const registry = await startRegistry(tokens.given, () => `Bearer realm="${tokens.url}"`);
    const { signal } = new AbortController();
    const { response } = await clientOf(registry.url).request({ ...pull, signal });
    expect(await text(response)).toBe('content');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

function refusing(code: string): Fetch {
  return () =>
    Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) }));
}

/** As Node fails when `localhost` has both ::1 and 127.0.0.1. */
function both(code: string): Fetch {
  const cause = new AggregateError([Object.assign(new Error('x'), { code })]);
  return () => Promise.reject(new TypeError('fetch failed', { cause }));
}

async function freePort(): Promise<string> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' ? address?.port : '');
}
