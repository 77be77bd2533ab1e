import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { nativeBody } from '../../../../../src/runtime/node/http/body-stream.ts';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { ProxyResponse } from '../../../../../src/runtime/node/http/proxy-response.ts';
import { relay } from '../../../../../src/runtime/node/http/relay.ts';

const MiB = 2 ** 20;
const content = randomBytes(9 * MiB + 7);
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listening(handler: (incoming: IncomingMessage, outgoing: ServerResponse) => void) {
  const server = createServer({ ServerResponse: ProxyResponse }, handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Upstream {
  readonly port: number;
  readonly sockets: readonly Socket[];
}

async function upstreamOf(
  answer: (outgoing: ServerResponse, incoming: IncomingMessage) => void,
): Promise<Upstream> {
  const sockets: Socket[] = [];
  const port = await listening((incoming, outgoing) => {
    sockets.push(incoming.socket);
    answer(outgoing, incoming);
  });
  return { port, sockets };
}

/** Starts a minimal proxy that relays each body. */
async function proxyOf({ port }: Upstream, silenceMs?: number): Promise<number> {
  const fetch = createHttpFetch(silenceMs);
  return listening(async ({ url }, outgoing) => {
    const response = await fetch(`http://127.0.0.1:${port}${url}`, { method: 'GET' });
    const body = nativeBody(response.body);
    if (!body) throw new Error('no native body');
    // The transfer coding belongs to one connection (RFC 9112, section 6.1).
    response.headers.delete('transfer-encoding');
    if (url === '/unsaid') response.headers.delete('content-length');
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (url === '/left') outgoing.destroy();
    relay(body, outgoing, response.headers.get('content-length'));
  });
}

const whole = (outgoing: ServerResponse) => {
  outgoing.writeHead(200, { 'Content-Length': content.length });
  outgoing.end(content);
};

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function got(port: number, path = '/'): Promise<Uint8Array> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return new Uint8Array(await answer.arrayBuffer());
}

describe('a body that goes from socket to socket', () => {
  it('is the same at the other end', async () => {
    const proxy = await proxyOf(await upstreamOf(whole));
    expect(sha256(await got(proxy))).toBe(sha256(content));
  });

  it('comes in whatever pieces: the head with a part of the body, byte by byte, late', async () => {
    const upstream = await upstreamOf(async (outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': content.length });
      outgoing.socket?.setNoDelay(true);
      for (let at = 0; at < 40; at += 1) {
        outgoing.write(content.subarray(at, at + 1));
        if (at % 10 === 0) await sleep(5);
      }
      outgoing.write(content.subarray(40, 5 * MiB));
      await sleep(30);
      outgoing.end(content.subarray(5 * MiB));
    });
    expect(sha256(await got(await proxyOf(upstream)))).toBe(sha256(content));
  });

  it('is right for many at the same time', async () => {
    const proxy = await proxyOf(await upstreamOf(whole));
    const all = await Promise.all(Array.from({ length: 12 }, () => got(proxy)));
    expect(new Set(all.map(sha256))).toEqual(new Set([sha256(content)]));
  });

  it('leaves the connection of the client for the next request', async () => {
    const proxy = await proxyOf(await upstreamOf(whole));
    const client = connect(proxy, '127.0.0.1');
    const asked = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
    let received = 0;
    client.on('data', (bytes) => {
      received += bytes.length;
    });
    client.write(asked);
    while (received < content.length) await sleep(5);
    client.write(`${asked}${asked}`);
    const deadline = Date.now() + 10_000;
    while (received < 3 * content.length && Date.now() < deadline) await sleep(5);
    client.destroy();
    expect(received).toBeGreaterThan(3 * content.length);
  });

  it('is read no further than its client takes it', async () => {
    let sent = 0;
    const upstream = await upstreamOf(async (outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': 64 * MiB });
      for (; sent < 64 && !outgoing.destroyed; sent += 1) {
        if (!outgoing.write(Buffer.alloc(MiB)))
          await new Promise((resolve) => outgoing.once('drain', resolve));
      }
      outgoing.end();
    });
    const port = await proxyOf(upstream);
    const slow = request({ port, host: '127.0.0.1' }, (answer) => answer.pause());
    slow.end();
    await sleep(500);
    // The kernel's buffers of four sockets, and a buffer of the proxy.
    expect(sent).toBeLessThan(32);
    slow.destroy();
  });

  it('ends for its client when upstream breaks off, and not as if all had come', async () => {
    const upstream = await upstreamOf(async (outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': content.length });
      outgoing.write(content.subarray(0, 4 * MiB));
      await sleep(50);
      outgoing.destroy();
    });
    await expect(got(await proxyOf(upstream))).rejects.toThrow();
  });

  it('ends for upstream when its client leaves', async () => {
    const upstream = await upstreamOf((outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': content.length });
      outgoing.write(content.subarray(0, 4 * MiB));
    });
    const aborter = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${await proxyOf(upstream)}`, { signal: aborter.signal });
    await answer.body?.getReader().read();
    aborter.abort();
    for (let tries = 0; tries < 100 && !upstream.sockets[0]?.destroyed; tries += 1) await sleep(10);
    expect(upstream.sockets[0]?.destroyed).toBe(true);
  });

  it('ends when upstream stands still', async () => {
    const upstream = await upstreamOf((outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': content.length }).write(content.subarray(0, 2 * MiB));
    });
    await expect(got(await proxyOf(upstream, 100))).rejects.toThrow();
  });

  it('goes on when it is the client that stands still', async () => {
    const port = await proxyOf(await upstreamOf(whole), 400);
    const received: Buffer[] = [];
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    const slow = request({ port, host: '127.0.0.1' }, async (answer) => {
      answer.on('error', reject);
      await sleep(1500);
      for await (const chunk of answer) received.push(chunk);
      resolve();
    });
    slow.end();
    await ended;
    expect(sha256(Buffer.concat(received))).toBe(sha256(content));
  });

  it('of no length is reset for a client of HTTP/1.0, where its end is all that there is to tell', async () => {
    const upstream = await upstreamOf(async (outgoing) => {
      outgoing.write(content.subarray(0, 100_000));
      await sleep(50);
      outgoing.destroy();
    });
    const client = connect(await proxyOf(upstream), '127.0.0.1');
    client.write('GET / HTTP/1.0\r\nHost: test\r\n\r\n');
    client.resume();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    client.on('error', ({ message }) => resolve(message));
    client.on('end', () => resolve('a clean end'));
    expect(await ended).toContain('ECONNRESET');
  });

  it('is in chunks where the head that is sent says no length', async () => {
    expect(sha256(await got(await proxyOf(await upstreamOf(whole)), '/unsaid'))).toBe(sha256(content));
  });

  it('is not asked for where the client has left before', async () => {
    const upstream = await upstreamOf((outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': content.length }).write(content.subarray(0, MiB));
    });
    await expect(got(await proxyOf(upstream), '/left')).rejects.toThrow();
    await expect.poll(() => upstream.sockets[0]?.destroyed).toBe(true);
  });

  it('is as long as upstream has said, whatever comes after it', async () => {
    const upstream = await upstreamOf((outgoing) => {
      const { socket } = outgoing;
      socket?.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * MiB}\r\n\r\n`);
      socket?.write(content.subarray(0, 3 * MiB));
    });
    expect(sha256(await got(await proxyOf(upstream)))).toBe(sha256(content.subarray(0, 2 * MiB)));
  });

  it.each([
    ['without a length', (outgoing: ServerResponse) => void outgoing.end(content), content],
    [
      'that is short',
      (outgoing: ServerResponse) => {
        outgoing.writeHead(200, { 'Content-Length': 5 });
        outgoing.end('short');
      },
      Buffer.from('short'),
    ],
  ])('%s is right too', async (_, answer, expected) => {
    expect(sha256(await got(await proxyOf(await upstreamOf(answer))))).toBe(sha256(expected));
  });
});

describe('connections to upstream', () => {
  it('are used again for what is short, and are not mixed up with those that were relayed', async () => {
    const upstream = await upstreamOf((outgoing, { url }) => {
      if (url === '/long') return whole(outgoing);
      outgoing.writeHead(200, { 'Content-Length': 5 });
      outgoing.end('short');
    });
    const proxy = await proxyOf(upstream);
    for (const path of ['/short', '/long', '/short', '/short', '/long', '/short']) {
      const expected = path === '/long' ? content : Buffer.from('short');
      expect(sha256(await got(proxy, path))).toBe(sha256(expected));
    }
    expect(new Set(upstream.sockets).size).toBe(3);
  });
});
