import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import type { Fetch } from '../../../../../src/upstream/send.ts';
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
