import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import type { Fetch } from '../../../../../src/upstream/send.ts';
import { makeAuthority } from '../../../../support/certificate-authority.ts';
import { startForwarder } from '../../../../support/swallowing-forwarder.ts';
import { answer, startServer } from '../../../upstream/local-server.ts';

/** A fetch that suspects connections after this idle time, and gives an answer this time, in milliseconds. */
function fetchWith(suspectMs: number, hedgeMs: number, idleMs?: number): Fetch {
  return createHttpFetch(undefined, undefined, { idleMs }, { suspectMs, hedgeMs });
}

async function read(fetch: Fetch, href: string, init = {}): Promise<string> {
  const response = await fetch(href, init);
  return response.text();
}

describe('a connection that was swallowed while it was idle', () => {
  it.each(['GET', 'HEAD'])(
    'costs %s a moment: the request is sent on a new connection, too',
    async (method) => {
      const { url, requests } = await startServer((_, response) => answer(response, 200, 'content'));
      const forwarder = await startForwarder(Number(url.port));
      const fetch = fetchWith(20, 100);
      const href = `http://127.0.0.1:${forwarder.port}/`;
      await Promise.all([read(fetch, href), read(fetch, href), read(fetch, href)]);
      forwarder.swallow();
      await sleep(50);
      expect(await read(fetch, href, { method })).toBe(method === 'GET' ? 'content' : '');
      // The other swallowed connections are closed with the first.
      await expect.poll(() => forwarder.opened.filter(({ destroyed }) => !destroyed).length).toBe(1);
      expect(await read(fetch, href)).toBe('content');
      expect([requests.length, forwarder.opened.length]).toEqual([5, 4]);
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'is not used for %s, which cannot be repeated',
    async (method) => {
      const { url } = await startServer((request, response) => {
        request.resume().on('end', () => answer(response, 202, 'taken'));
      });
      const forwarder = await startForwarder(Number(url.port));
      const fetch = fetchWith(20, 60_000);
      const href = `http://127.0.0.1:${forwarder.port}/`;
      await read(fetch, href);
      forwarder.swallow();
      await sleep(50);
      expect(await read(fetch, href, { method })).toBe('taken');
    },
  );

  it('ends with its client, without a second request', async () => {
    const { url } = await startServer((_, response) => answer(response, 200, 'content'));
    const forwarder = await startForwarder(Number(url.port));
    const fetch = fetchWith(20, 100);
    const href = `http://127.0.0.1:${forwarder.port}/`;
    await read(fetch, href);
    forwarder.swallow();
    await sleep(50);
    const client = new AbortController();
    const asking = fetch(href, { signal: client.signal });
    const outcome = asking.catch((error: unknown) => error);
    await sleep(10);
    client.abort(new Error('gone'));
    expect(await outcome).toMatchObject({ message: 'gone' });
    await sleep(200);
    expect(forwarder.opened.map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

describe('a registry that thinks', () => {
  it('is asked twice once, and then no more for a while', async () => {
    let thinkMs = 0;
    const { url, requests } = await startServer((_, response) => {
      setTimeout(() => answer(response, 200, 'content'), thinkMs);
    });
    const fetch = fetchWith(20, 50);
    await read(fetch, url.href);
    thinkMs = 300;
    for (const asked of [3, 4, 5]) {
      await sleep(40);
      expect(await read(fetch, url.href)).toBe('content');
      expect(requests.length).toBe(asked);
    }
  });

  it('is asked once on a connection that was just in use', async () => {
    let thinkMs = 0;
    const { url, requests } = await startServer((_, response) => {
      setTimeout(() => answer(response, 200, 'content'), thinkMs);
    });
    const fetch = fetchWith(60_000, 50);
    await read(fetch, url.href);
    thinkMs = 300;
    expect(await read(fetch, url.href)).toBe('content');
    expect(requests.length).toBe(2);
  });
});

describe('an idle connection is closed', () => {
  it.each([
    ['after the time of the proxy', 300, {}],
    ['a second before the time that the server names', 60_000, { 'keep-alive': 'timeout=2' }],
  ])('%s', async (_, idleMs, headers) => {
    const { url, requests } = await startServer((_, response) => answer(response, 200, 'content', headers));
    const fetch = fetchWith(60_000, 60_000, idleMs);
    await read(fetch, url.href);
    const [first] = requests;
    expect(await read(fetch, url.href)).toBe('content');
    expect(requests[1]?.socket).toBe(first?.socket);
    await once(first?.socket as NonNullable<typeof first>['socket'], 'close');
  });
});

describe('a connection that says more than its response', () => {
  // Node passes the first bytes to nobody, and before 24 the later ones to the next request.
  const forged = ['x', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'];

  it.each(['http:', 'https:'])('is closed before its next request: %s', async (protocol) => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-unasked-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const authority = makeAuthority(folder, 'authority');
    const opened: Socket[] = [];
    const speak = (socket: Socket) => {
      opened.push(socket);
      socket.on('error', () => undefined);
      const isFirst = opened.length === 1;
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'));
      socket.once('data', () => {
        if (!isFirst) return void socket.write('true');
        for (const [index, text] of forged.entries()) setTimeout(() => socket.write(text), 20 + index * 40);
      });
    };
    const server =
      protocol === 'http:'
        ? createTcpServer(speak)
        : createTlsServer(authority.issue('registry', 'IP:127.0.0.1'), speak);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      for (const socket of opened) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const tls = { insecure: false, hosts: ['127.0.0.1'], authorities: authority.cert };
    const ask = createHttpFetch(undefined, undefined, { tls });
    const href = `${protocol}//127.0.0.1:${port}/`;
    await ask(href, { method: 'HEAD' });
    await expect.poll(() => opened[0]?.destroyed, { timeout: 5_000 }).toBe(true);
    expect(await read(ask, href)).toBe('true');
  });
});
