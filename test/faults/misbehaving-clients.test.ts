import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slowFaults } from '../support/faults/faults.ts';
import { type HostileUpstream, startHostileUpstream } from '../support/faults/hostile-upstream.ts';
import { targets } from '../support/faults/targets.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-http.ts';

let upstream: HostileUpstream;
let proxy: RunningProxy;

beforeAll(async () => {
  upstream = await startHostileUpstream();
  proxy = await startProxy(upstream.url);
});

afterAll(async () => {
  await Promise.all([proxy.stop(), upstream.stop()]);
});

/** A client that sends arbitrary bytes. */
interface Client {
  readonly socket: Socket;
  heard(): string;
  /** Waits until the received text matches, or the proxy has closed the connection. */
  hears(pattern: RegExp): Promise<void>;
  ended(): boolean;
}

async function client(said: string | Uint8Array): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  let over = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    if (text.length < 100_000) text += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    over = true;
  });
  socket.on('end', () => {
    over = true;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(typeof said === 'string' ? Buffer.from(said, 'latin1') : said);
  return {
    socket,
    heard: () => text,
    hears: async (pattern) => {
      await expect.poll(() => over || pattern.test(text), { timeout: 10_000 }).toBe(true);
      expect(text).toMatch(pattern);
    },
    ended: () => over,
  };
}

/** Request heads, one after the other. */
function heads(...lines: readonly string[]): string {
  return lines.map((line) => `${line} HTTP/1.1\r\nHost: proxy.test\r\n\r\n`).join('');
}

const blob = targets['a blob'].path;
/** Waits until the proxy has closed its connections to upstream, but for a kept-alive one. */
const isIdle = () => expect.poll(() => upstream.connections(), { timeout: 10_000 }).toBeLessThanOrEqual(1);

describe('a client that disconnects cancels its request to upstream', () => {
  it.each([
    ['before the response of upstream', 'never answers', /^$/],
    ['in the middle of a body', 'never ends a body', /HTTP\/1\.1 200/],
    ['while a body stalls', 'stalls in a body of known length', /HTTP\/1\.1 200/],
  ] as const)('%s', async (_, fault, heard) => {
    const before = upstream.asked.length;
    upstream.misbehave(slowFaults[fault], ({ path }) => path === blob);
    const leaving = await client(heads(`GET ${blob}`));
    await expect.poll(() => upstream.asked.length).toBeGreaterThan(before);
    await leaving.hears(heard);
    expect(upstream.connections()).toBeGreaterThan(0);
    leaving.socket.destroy();
    await isIdle();
    upstream.recover();
    expect((await rawRequest({ port: proxy.port, method: 'GET', path: blob, headers: [] })).status).toBe(200);
  });

  it('in the middle of an upload, which upstream sees as incomplete', async () => {
    const ends: string[] = [];
    upstream.misbehave(
      ({ request }) => {
        request.on('end', () => ends.push('whole')).on('error', () => ends.push('cut'));
        request.resume();
      },
      ({ method }) => method === 'PATCH',
    );
    const path = '/v2/team/app/blobs/uploads/an-upload';
    for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
      const before = upstream.asked.length;
      const leaving = await client(`PATCH ${path} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n3\r\nabc\r\n`);
      await expect
        .poll(() => upstream.asked.slice(before).some(({ method }) => method === 'PATCH'))
        .toBe(true);
      leaving.socket.destroy();
      await expect.poll(() => ends.splice(0), { timeout: 10_000 }).toEqual(['cut']);
    }
    upstream.recover();
    await isIdle();
  });

  it('for a manifest, too, unless another client waits for it', async () => {
    const path = '/v2/sample/schema2/manifests/latest';
    const isAskedSince = (before: number) =>
      expect
        .poll(() =>
          upstream.asked
            .slice(before)
            .some((each) => each.method === 'GET' && each.path.startsWith('/v2/sample/schema2/manifests/')),
        )
        .toBe(true);
    let before = upstream.asked.length;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    upstream.misbehave(async ({ response, good }) => {
      response.writeHead(200, good.headers).write(good.body.subarray(0, 10));
      await held;
      response.end(good.body.subarray(10));
    }, targets['a manifest'].isMeant);
    const alone = await client(heads(`GET ${path}`));
    await isAskedSince(before);
    alone.socket.destroy();
    await isIdle();

    before = upstream.asked.length;
    const leaving = await client(heads(`GET ${path}`));
    await isAskedSince(before);
    const waiting = rawRequest({ port: proxy.port, method: 'GET', path, headers: [] });
    await sleep(100);
    leaving.socket.destroy();
    await sleep(100);
    release();
    expect((await waiting).status).toBe(200);
    upstream.recover();
  });
});

describe('an invalid request', () => {
  it.each([
    ['of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['of garbage', '\u0000\u0001\u0002\r\n\r\n', 400],
    ['without a host', 'GET /v2/ HTTP/1.1\r\n\r\n', 400],
    [
      'with a length and chunks',
      'POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'with two lengths',
      'POST /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd',
      400,
    ],
    ['with a space before a colon', 'GET /v2/ HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['with a line in a header', 'GET /v2/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
    ['with headers of 40 KB', `GET /v2/ HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['with a path of 40 KB', `GET /v2/${'x'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s gets an error, and the connection is closed at once', async (_, said, status) => {
    const asking = await client(said);
    await asking.hears(new RegExp(`^HTTP/1\\.1 ${status} `));
    await expect.poll(() => asking.ended(), { timeout: 2_000 }).toBe(true);
  });

  it.each([
    ['that is invalid', 'GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['with a login', 'GET /v2/ HTTP/1.1\r\nHost: user:password@b\r\n\r\n'],
    ['with a path', 'GET /v2/ HTTP/1.1\r\nHost: b/v2\r\n\r\n'],
    ['of an invalid absolute target', 'GET http:// HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('with a host %s gets 400', async (_, said) => {
    const asking = await client(said);
    await asking.hears(/^HTTP\/1\.1 400 /);
    asking.socket.destroy();
  });
});

it('a TLS hello gets an HTTP response at once: Docker and containerd then continue without TLS', async () => {
  const asking = await client('\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003');
  await expect.poll(() => asking.ended(), { timeout: 2_000 }).toBe(true);
  expect(asking.heard()).toMatch(/^HTTP\/1\.1 400 /);
});

describe('old and unusual requests', () => {
  it.each([
    ['with a host', 'GET /v2/ HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['without one, as health checks do', 'GET /healthz HTTP/1.0\r\n\r\n'],
    ['for an image', 'GET /v2/sample/oci/manifests/latest HTTP/1.0\r\n\r\n'],
    ['for a blob', `GET ${blob} HTTP/1.0\r\n\r\n`],
  ])('HTTP/1.0 %s: 200 without chunks, and the connection is closed', async (_, said) => {
    const asking = await client(said);
    await asking.hears(/^HTTP\/1\.1 200 /);
    await expect.poll(() => asking.ended(), { timeout: 2_000 }).toBe(true);
    expect(asking.heard()).not.toMatch(/transfer-encoding/i);
  });

  it('Connection: close is respected', async () => {
    const asking = await client('GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await expect.poll(() => asking.ended(), { timeout: 2_000 }).toBe(true);
    expect(asking.heard()).toMatch(/connection: close/i);
  });

  it('an absolute target is served by this proxy, whatever host it names', async () => {
    const before = upstream.asked.length;
    const asking = await client(heads('GET http://elsewhere.test/v2/sample/oci/tags/list'));
    await asking.hears(/"name":"sample\/oci"/);
    expect(upstream.asked.length).toBe(before + 1);
    asking.socket.destroy();
  });

  it('Expect: 100-continue gets 100, and any other expectation 417', async () => {
    const going = await client(
      'PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
    );
    await going.hears(/^HTTP\/1\.1 100 /);
    going.socket.destroy();
    const magic = await client('GET /v2/ HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n');
    await magic.hears(/^HTTP\/1\.1 417 /);
    magic.socket.destroy();
  });

  it('pipelined requests get their responses in order, slow ones too', async () => {
    upstream.misbehave(async ({ response, good }) => {
      await sleep(100);
      response.writeHead(200, good.headers).end(good.body);
    }, targets['a list of tags'].isMeant);
    const asking = await client(
      heads('GET /v2/sample/oci/tags/list', 'GET /healthz', 'GET /v2/', `GET ${blob}`, 'GET /healthz'),
    );
    await asking.hears(/"tags":.*ok\n.*\{\}.*octet-stream.*ok\n/s);
    asking.socket.destroy();
    upstream.recover();
  });

  it('a hundred pipelined requests get their responses, and one more ends its connection at once', async () => {
    const gate = Promise.withResolvers<void>();
    upstream.misbehave(async ({ response, good }) => {
      await gate.promise;
      response.writeHead(200, good.headers).end(good.body);
    }, targets['a list of tags'].isMeant);
    const asks = (count: number) => heads(...Array<string>(count).fill('GET /v2/sample/oci/tags/list'));
    const most = await client(asks(100));
    const tooMany = await client(asks(101));
    await expect.poll(() => tooMany.ended(), { timeout: 10_000 }).toBe(true);
    expect([most.ended(), tooMany.heard()]).toEqual([false, '']);
    gate.resolve();
    await expect.poll(() => most.heard().match(/"tags":/g)?.length, { timeout: 10_000 }).toBe(100);
    most.socket.write(heads('GET /healthz'));
    await most.hears(/ok\n$/);
    most.socket.destroy();
    upstream.recover();
  });

  it.each([
    ['a body that is longer than its Content-Length', '', /"tags":.*HTTP\/1\.1 400 .*cannot be read/s],
    ['a request after the last one', 'Connection: close\r\n', /"tags":/],
  ])('%s leaves the requests before it their responses, slow ones too', async (_, header, heard) => {
    upstream.misbehave(async ({ response, good }) => {
      await sleep(100);
      response.writeHead(200, good.headers).end(good.body);
    }, targets['a list of tags'].isMeant);
    const asking = await client(
      `GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /v2/sample/oci/tags/list HTTP/1.1\r\nHost: a\r\n${header}Content-Length: 2\r\n\r\nab{"c":1}\r\n`,
    );
    await expect.poll(() => asking.ended(), { timeout: 10_000 }).toBe(true);
    expect(asking.heard()).toMatch(/^HTTP\/1\.1 200 /);
    expect(asking.heard()).toMatch(heard);
    asking.socket.destroy();
    upstream.recover();
  });

  it('an unexpected body is not parsed as a request', async () => {
    const asking = await client(
      'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\nGET /secret HTTP/1.1\r\nX: y\r\n',
    );
    asking.socket.write(heads('GET /v2/'));
    await asking.hears(/ok\n.*\{\}/s);
    expect(asking.heard().match(/HTTP\/1\.1/g)).toHaveLength(2);
    asking.socket.destroy();
  });
});

describe('a thousand clients', () => {
  it('that send nothing, or half a head, do not block another client', async () => {
    const idle = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => client(at % 2 === 0 ? '' : 'GET /v2/ HTTP/1.1\r\nHost')),
    );
    const started = performance.now();
    const { status } = await rawRequest({ port: proxy.port, method: 'GET', path: blob, headers: [] });
    expect(status).toBe(200);
    expect(performance.now() - started).toBeLessThan(5_000);
    for (const { socket } of idle) socket.destroy();
  });
});
