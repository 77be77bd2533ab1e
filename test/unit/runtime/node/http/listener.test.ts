import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { App } from '../../../../../src/app.ts';
import { RegistryError } from '../../../../../src/errors.ts';
import type { ClientConnection } from '../../../../../src/http/env.ts';
import { responseWithUpstreamBody } from '../../../../../src/http/upstream-body.ts';
import type { Log } from '../../../../../src/observability/log.ts';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { createListener } from '../../../../../src/runtime/node/http/listener.ts';
import { ProxyResponse } from '../../../../../src/runtime/node/http/proxy-response.ts';
import { responseCacheKey } from '../../../../../src/runtime/node/http/response-cache-key.ts';
import { rawRequest } from '../../../../support/raw-http.ts';
import { startServer } from '../../../upstream/local-server.ts';

/** Serves the given functions through the listener, on a server of Node. */
async function serving(
  answer: (request: Request) => Promise<Response>,
  lookup: App['responseCache']['lookup'] = () => undefined,
  revalidate: App['responseCache']['revalidate'] = () => undefined,
  host = '127.0.0.1',
) {
  const logged: string[] = [];
  const log: Log = (level, message, facts) => logged.push(`${level} ${message}: ${facts?.reason}`);
  const { listen } = createListener({ fetch: answer, responseCache: { lookup, revalidate } }, log);
  const server = createServer({ ServerResponse: ProxyResponse }, listen);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets, logged };
}

describe('the host of a request', () => {
  const echoHost = async ({ url }: Request) => new Response(new URL(url).host);

  async function hostOf(headers: readonly (readonly [string, string])[], version = '1.1', host?: string) {
    const { port } = await serving(echoHost, undefined, undefined, host);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const lines = headers.map((each) => each.join(': '));
    const socket = connect(port, '127.0.0.1').on('error', reject);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text.split('\r\n\r\n')[1] ?? ''));
    socket.write([`GET / HTTP/${version}`, 'Connection: close', ...lines, '', ''].join('\r\n'));
    return { port, host: await promise };
  }

  it.each([
    ['[2001:0DB8:0::7]:5000', '[2001:db8::7]:5000'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[::ffff:192.0.2.7]:5000', '[::ffff:c000:207]:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['Registry.test:5000', 'registry.test:5000'],
  ])('is read in each spelling: %s', async (named, read) => {
    expect((await hostOf([['Host', named]])).host).toBe(read);
  });

  it.each(['[::1', '[::1]x', '[::g]', '[1::2::3]', '[fe80::1%eth0]'])('is refused: %s', async (named) => {
    expect((await hostOf([['Host', named]])).host).toMatch(/^The request cannot be read/);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ family }) => family === 'IPv6'),
  );

  it.runIf(hasIpv6)(
    'that names none is the address that it reached, also IPv4 at a socket for both families',
    async () => {
      const { host, port } = await hostOf([], '1.0', '::');
      expect(host).toBe(`127.0.0.1:${port}`);
    },
  );
});

/** A client that sends the first half of a body and then waits for the response, as a registry's client does. */
async function uploading(port: number, length: number) {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'PUT',
    headers: { 'content-length': length },
  });
  onTestFinished(() => void request.destroy());
  const answered = new Promise<number | undefined>((resolve, reject) => {
    request.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
  });
  request.write(new Uint8Array(length / 2));
  return { answered };
}

const ask = createHttpFetch();
const get = (port: number) => rawRequest({ port, method: 'GET', path: '/', headers: [] });

/** The ways in which the listener sends an upstream body: as the message itself, or as a web stream. */
const passing = {
  'natively piped': (response: Response) => responseWithUpstreamBody(response.body, response),
  'written from a stream of the web': (response: Response) =>
    responseWithUpstreamBody(response.body?.pipeThrough(new TransformStream()) ?? null, response),
  'piped as a stream of the web': ({ body, status, headers }: Response) =>
    new Response(body?.pipeThrough(new TransformStream()) ?? null, { status, headers }),
};

describe.each(Object.entries(passing))('a body that is %s', (_, pass) => {
  const cuts: readonly [string, (response: ServerResponse) => void][] = [
    ['of known length', (response) => response.writeHead(200, { 'content-length': 9 }).write('ab')],
    ['in chunks', (response) => response.writeHead(200).write('ab')],
  ];

  it.each(cuts)('and that upstream cuts is cut for the client, and never ended: %s', async (_kind, begin) => {
    const { url } = await startServer((_request, response) => {
      begin(response);
      setTimeout(() => response.destroy(), 20);
    });
    const { port } = await serving(async () => pass(await ask(url.href, {})));
    await expect(get(port)).rejects.toThrow(/before it was whole|ECONNRESET/);
  });

  /** An upstream whose bodies have no end that a client would see. */
  async function startEndless() {
    const asked: IncomingMessage[] = [];
    const { url } = await startServer((request, response) => {
      asked.push(request);
      response.writeHead(200, { 'content-length': 1 << 30 });
      const more = () => {
        while (!response.destroyed && response.write(new Uint8Array(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const { port } = await serving(async (request) => pass(await ask(url.href, { signal: request.signal })));
    return { port, asked };
  }

  it('is not asked for any more when the client leaves', async () => {
    const { port, asked } = await startEndless();
    const leaving = httpRequest({ port, host: '127.0.0.1' }, (response) => {
      response.once('data', () => leaving.destroy());
    });
    leaving.on('error', () => undefined);
    leaving.end();
    await expect.poll(() => asked[0]?.socket.destroyed).toBe(true);
  });

  it('is not asked for any more when the client leaves before its turn in a pipeline', async () => {
    const { port, asked } = await startEndless();
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await expect.poll(() => asked.length).toBe(3);
    await sleep(100);
    client.destroy();
    await expect.poll(() => asked.map(({ socket }) => socket.destroyed)).toEqual([true, true, true]);
  });

  it('waits for a client that is slow, and is not held in memory meanwhile', async () => {
    let sent = 0;
    const { url } = await startServer(async (_request, response) => {
      response.writeHead(200, { 'content-length': 256 << 20 });
      for (; sent < 256 << 20 && !response.destroyed; sent += 1 << 20) {
        if (!response.write(new Uint8Array(1 << 20))) {
          await new Promise((resolve) => response.once('drain', resolve));
        }
      }
    });
    const { port } = await serving(async () => pass(await ask(url.href, {})));
    const slow = httpRequest({ port, host: '127.0.0.1' }, (response) => response.pause());
    slow.on('error', () => undefined);
    slow.end();
    await sleep(500);
    expect(sent).toBeLessThan(64 << 20);
    slow.destroy();
  });
});

describe('an answer of upstream', () => {
  it('that has no body is given as it is', async () => {
    const { url } = await startServer((_request, response) => response.writeHead(304, { etag: '"x"' }).end());
    const { port } = await serving(() => ask(url.href, {}));
    const { status, header, body } = await get(port);
    expect([status, header('etag'), body.length]).toEqual([304, '"x"', 0]);
  });

  it('is asked for no longer when the client leaves before it has begun', async () => {
    const { url, requests } = await startServer(() => undefined);
    const { port } = await serving(async (request) => ask(url.href, { signal: request.signal }));
    const leaving = httpRequest({ port, host: '127.0.0.1' });
    leaving.on('error', () => undefined);
    leaving.end();
    await expect.poll(() => requests.length).toBe(1);
    leaving.destroy();
    await expect.poll(() => requests[0]?.socket.destroyed).toBe(true);
  });
});

describe('an exception', () => {
  const wrong = () => {
    throw new Error('a fault of the program');
  };
  const told = 'error a connection ends: an event of it could not be handled: a fault of the program';

  it('in a handler of one connection leaves the process, and the handlers behind it', async () => {
    let counted = 0;
    const { port, logged } = await serving(async (_request, connection?: ClientConnection) => {
      connection?.whenSent?.(wrong);
      connection?.whenSent?.(() => {
        counted += 1;
      });
      return new Response('whole');
    });
    for (const times of [1, 2]) {
      expect(new TextDecoder().decode((await get(port)).body)).toBe('whole');
      await expect.poll(() => [logged.length, counted]).toEqual([times, times]);
    }
    expect(logged).toEqual([told, told]);
  });

  it.each([
    ['while a held answer is looked for', wrong, undefined],
    ['while one is renewed', undefined, async () => wrong()],
    ['before one is renewed', undefined, wrong],
  ])('%s ends the connection alone', async (_, again, renew) => {
    let broken = true;
    const only = <Any extends (...args: never) => unknown>(fault: Any | undefined) =>
      ((...args: never) => (broken ? fault?.(...args) : undefined)) as Any;
    const { port, logged } = await serving(async () => new Response('whole'), only(again), only(renew));
    await expect(get(port)).rejects.toThrow(/before it was whole|ECONNRESET/);
    expect(logged).toEqual([told]);
    broken = false;
    expect((await get(port)).status).toBe(200);
  });
});

describe('a stream that fails', () => {
  const failing = (start: (controller: ReadableStreamDefaultController) => void) =>
    serving(async () => responseWithUpstreamBody(new ReadableStream({ start }), { status: 200 }));

  it('while its client is slow says nothing to the client, and does not end its body', async () => {
    const { promise, resolve } = Promise.withResolvers<ReadableStreamDefaultController>();
    const { port, logged } = await failing((controller) => {
      controller.enqueue(new Uint8Array(8 << 20).fill(97));
      resolve(controller);
    });
    const chunks: Uint8Array[] = [];
    const slow = connect(port, '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const controller = await promise;
    await sleep(100);
    controller.error(new Error('a secret of the program'));
    for await (const chunk of slow) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('latin1');
    expect(text.slice(-200)).toMatch(/^a+\r\n$/);
    expect(logged).toEqual(['warn an answer broke off: a secret of the program']);
  });
});

describe('an upload', () => {
  const forward = (url: URL) => (request: Request) => {
    const init: object = { method: 'PUT', body: request.body, signal: request.signal, duplex: 'half' };
    return ask(url.href, init);
  };

  it('arrives whole, also where it is more than any buffer holds', async () => {
    const lengths: number[] = [];
    const { url } = await startServer(async (request, response) => {
      let length = 0;
      for await (const chunk of request) length += (chunk as Uint8Array).length;
      lengths.push(length);
      response.writeHead(201).end();
    });
    const { port } = await serving(forward(url));
    for (const size of [30_000_000, 3, 0]) {
      const body = new Uint8Array(size);
      expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'PUT', body })).status).toBe(201);
    }
    expect(lengths).toEqual([30_000_000, 3, 0]);
  });

  it.each<
    [what: string, status: number, answer: (request: IncomingMessage, response: ServerResponse) => void]
  >([
    ['refuses at its head', 403, (_, response) => response.writeHead(403).end('no')],
    ['cuts the connection', 502, (request) => request.once('data', () => request.socket.destroy())],
  ])("and that upstream %s is answered on the client's own connection", async (_, status, answer) => {
    const { url } = await startServer(answer);
    const pass = forward(url);
    const { port } = await serving((request) =>
      pass(request).catch(() => new Response('upstream is gone', { status: 502 })),
    );
    const { answered } = await uploading(port, 1_000_000);
    expect(await answered).toBe(status);
  });

  it('is cut for upstream when the client leaves in the middle of it', async () => {
    const asked: IncomingMessage[] = [];
    const ends: string[] = [];
    const { url } = await startServer((request) => {
      asked.push(request);
      request.on('end', () => ends.push('whole')).on('error', () => ends.push('cut'));
      request.resume();
    });
    const { port } = await serving(forward(url));
    const leaving = httpRequest({ port, host: '127.0.0.1', method: 'PUT' });
    leaving.on('error', () => undefined);
    leaving.write('half');
    await expect.poll(() => asked.length).toBe(1);
    leaving.destroy();
    await expect.poll(() => ends).toEqual(['cut']);
  });
});

describe('the question that a request is', () => {
  let address = '127.0.0.1';
  const words = (...rawHeaders: string[]) =>
    responseCacheKey({
      method: 'GET',
      url: '/v2/a/manifests/b',
      rawHeaders,
      socket: { localPort: 1, localAddress: address },
    } as unknown as IncomingMessage);

  it.each(['http://alice:secret@proxy/v2/a/manifests/b', '/v2/a/manifests/b?access_token=secret'])(
    'has no login and no token of the request target (%s)',
    (url) => {
      const keyOf = (target: string) =>
        responseCacheKey({
          method: 'GET',
          url: target,
          rawHeaders: ['Host', 'a'],
          socket: { localPort: 1, localAddress: '127.0.0.1' },
        } as unknown as IncomingMessage);
      expect(keyOf(url)).not.toContain('secret');
      expect(keyOf(url)).toBe(keyOf(url));
      expect(keyOf(url)).not.toBe(keyOf(url.replace('secret', 'other')));
    },
  );

  it('is the same for the same words alone', () => {
    const question = words('Host', 'a', 'Authorization', 'Basic x');
    expect(words('host', 'a', 'authorization', 'Basic x', 'X-Other', 'y')).toBe(question);
    expect(words('Host', 'a', 'Authorization', 'Basic y')).not.toBe(question);
  });

  it('differs by the address that was reached, for who names no host', () => {
    const one = words();
    address = '127.0.0.2';
    expect(words()).not.toBe(one);
  });

  it('holds no login, only what tells it from others', () => {
    expect(words('Authorization', 'Basic dXNlcjpwYXNz')).not.toContain('dXNlcjpwYXNz');
  });

  it('is none where there are two logins, of which each program reads another part', () => {
    expect(words('Authorization', 'Basic x', 'authorization', 'Basic x')).toBeUndefined();
  });

  it.each(['Authorization', 'Accept', 'User-Agent', 'Host'])(
    'differs where %s is empty, or there twice',
    (name) => {
      // Some programs read all lines of a header and others only the first, so their responses need different keys.
      const once = words(name, 'one');
      expect(new Set([once, words(name, 'one', name, 'two'), words(name, ''), words()]).size).toBe(4);
      expect(words(name, '', name, 'one')).not.toBe(words(name, ''));
    },
  );

  it.each(['If-None-Match', 'Origin', 'Range', 'X-Forwarded-Host', 'X-Forwarded-Proto'])(
    'is none with %s',
    (name) => {
      expect(words(name, 'x')).toBeUndefined();
    },
  );
});

it('a layer that breaks in transit is one line of the log without a stack, and nothing on standard error', async () => {
  const written = [vi.spyOn(process.stderr, 'write'), vi.spyOn(console, 'error')];
  onTestFinished(() => void vi.restoreAllMocks());
  const logged: unknown[] = [];
  const body = new ReadableStream({
    start: (to) => to.enqueue(new Uint8Array(5)),
    pull: (to) => to.error(new RegistryError('UPSTREAM_CONTENT', 'The layer is broken.')),
  });
  const app = {
    fetch: async () => responseWithUpstreamBody(body, {}),
    responseCache: { lookup: () => undefined, revalidate: () => undefined },
  };
  const server = createServer(createListener(app, (...line) => logged.push(line)).listen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  await expect(get((server.address() as AddressInfo).port)).rejects.toThrow();
  const facts = { code: 'UPSTREAM_CONTENT', reason: 'The layer is broken.' };
  await expect.poll(() => logged).toEqual([['warn', 'an answer broke off', facts]]);
  for (const spy of written) expect(spy).not.toHaveBeenCalled();
});

describe('a response from the response cache', () => {
  /** Each byte, so that no encoding of text keeps all of them by chance. */
  const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index);

  it.each([0, 300, 12_288, 12_289, 70_000])('has the same %i bytes each time', async (length) => {
    const body = bytes(length);
    const response = { headers: { 'Content-Length': String(length), Vary: 'Accept' }, body };
    const sent: number[] = [];
    const finished = (end: { readonly bytes: number }) => sent.push(end.bytes);
    const { port } = await serving(
      () => Promise.reject(new Error('not asked')),
      () => ({ response, id: 'id', finished }),
    );
    for (const _ of [1, 2, 3]) expect([...(await get(port)).body]).toEqual([...body]);
    const head = await rawRequest({ port, method: 'HEAD', path: '/', headers: [] });
    expect(head.body).toHaveLength(0);
    expect(new Set(sent.slice(0, 3)).size).toBe(1);
    expect(sent[0]).toBe((sent[3] ?? 0) + length);
  });
});
