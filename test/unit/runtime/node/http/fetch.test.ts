import { getEventListeners, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nativeBody } from '../../../../../src/runtime/node/http/body-stream.ts';
import { createHttpFetch } from '../../../../../src/runtime/node/http/fetch.ts';
import { answer, startServer } from '../../../upstream/local-server.ts';

/** Starts a TCP server that calls `speak` after the first bytes of each connection, and records its connections. */
async function startRaw(speak: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => speak(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port');
  return { url: `http://127.0.0.1:${address.port}/`, sockets };
}

/** A stream that never ends by itself. */
function endless(onCancel: (reason: unknown) => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await sleep(1);
      controller.enqueue(new Uint8Array(65_536));
    },
    cancel: onCancel,
  });
}

const stream: object = { duplex: 'half' };

describe('the reason of a signal comes out', () => {
  it('when it has aborted before anything is sent', async () => {
    const { url, requests } = await startServer((_, response) => answer(response, 200));
    const reason = new Error('gone');
    const fetching = createHttpFetch()(url.href, { signal: AbortSignal.abort(reason) });
    await expect(fetching).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  it('before the headers, and the connection ends', async () => {
    const { url, sockets } = await startRaw(() => undefined);
    const aborter = new AbortController();
    const fetching = createHttpFetch()(url, { signal: aborter.signal });
    await expect.poll(() => sockets.length).toBe(1);
    const closed = once(sockets[0] as Socket, 'close');
    aborter.abort(new Error('gone'));
    await expect(fetching).rejects.toThrow('gone');
    await closed;
    expect(getEventListeners(aborter.signal, 'abort')).toEqual([]);
  });

  it.each(['before', 'while'])('%s the body is read, and the connection ends', async (when) => {
    const { url, sockets } = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab');
    });
    const aborter = new AbortController();
    const response = await createHttpFetch()(url, { signal: aborter.signal });
    const closed = once(sockets[0] as Socket, 'close');
    const reading = when === 'while' ? response.text() : undefined;
    const early = reading?.catch((error: unknown) => error);
    aborter.abort(new Error('gone'));
    await closed;
    expect(await (early ?? response.text().catch((error: unknown) => error))).toMatchObject({
      message: 'gone',
    });
    expect(getEventListeners(aborter.signal, 'abort')).toEqual([]);
  });

  it('in the middle of an upload, whose body is cancelled', async () => {
    const { url, requests } = await startServer((request) => request.resume());
    const aborter = new AbortController();
    const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
    const init = { method: 'PUT', body: endless(resolve), signal: aborter.signal, ...stream };
    const fetching = createHttpFetch()(url.href, init).catch((error: unknown) => error);
    await expect.poll(() => requests.length).toBe(1);
    const closed = new Promise((resolve) => requests[0]?.socket.once('close', resolve));
    aborter.abort(new Error('gone'));
    expect(await fetching).toMatchObject({ message: 'gone' });
    await Promise.all([cancelled, closed]);
  });
});

describe('a signal that outlives its requests', () => {
  it('is left without a listener by each of them', async () => {
    const { url } = await startServer((_, response) => answer(response, 200, 'content'));
    const { signal } = new AbortController();
    const ask = createHttpFetch();
    for (let round = 0; round < 30; round += 1) await (await ask(url.href, { signal })).text();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('what is no answer', () => {
  it.each([
    ['nothing', ''],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`],
    ['a header with a control character', 'HTTP/1.1 200 OK\r\nX: \u0001\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a status above 599', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'],
    ['a status below 200', 'HTTP/1.1 199 What\r\n\r\n'],
    [
      'another protocol that nobody asked for',
      'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
  ])('is an error: %s', async (_, said) => {
    const { url } = await startRaw((socket) => socket.end(said, 'latin1'));
    await expect(createHttpFetch()(url, {})).rejects.toThrow(Error);
  });

  it.each([
    ['of known length', 'Content-Length: 5\r\n\r\nab'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'],
    ['in chunks whose last one is missing a line', 'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n'],
    ['with a chunk of no length', 'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n'],
  ])('is an error of the body that is cut: %s', async (_, said) => {
    const { url } = await startRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${said}`));
    const response = await createHttpFetch()(url, {});
    await expect(response.text()).rejects.toThrow(Error);
  });
});

describe('a body that stands still', () => {
  const first = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab';

  it('breaks off, whoever reads it', async () => {
    const { url, sockets } = await startRaw((socket) => socket.write(first));
    const response = await createHttpFetch(50)(url, {});
    await expect(response.text()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const handed = nativeBody((await createHttpFetch(50)(url, {})).body);
    handed?.resume();
    await once(handed as NonNullable<typeof handed>, 'error');
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('has the time of its request, if that names one', async () => {
    const { url } = await startRaw(async (socket) => {
      socket.write(first);
      await sleep(300);
      socket.write('cdefghi');
    });
    expect(await (await createHttpFetch(50)(url, { standstillMs: 2_000 })).text()).toBe('abcdefghi');
    const response = await createHttpFetch(60_000)(url, { standstillMs: 50 });
    await expect(response.text()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('is none where bytes come now and then', async () => {
    const { url } = await startRaw(async (socket) => {
      socket.write(first);
      for (const byte of 'cdefghi') {
        await sleep(100);
        socket.write(byte);
      }
    });
    expect(await (await createHttpFetch(400)(url, {})).text()).toBe('abcdefghi');
  });

  it('is none where nobody reads what has come', async () => {
    const { url } = await startRaw((socket) => socket.write(`${first}cdefghi`));
    const response = await createHttpFetch(20)(url, {});
    await sleep(150);
    expect(await response.text()).toBe('abcdefghi');
  });
});

describe('a connection', () => {
  async function connectionsFor(read: (response: Response) => Promise<unknown> | undefined, status = 200) {
    const { url, requests } = await startServer((_, response) => answer(response, status, 'small'));
    const ask = createHttpFetch();
    for (let round = 0; round < 3; round += 1) {
      await read(await ask(url.href, {}));
      await sleep(10);
    }
    return new Set(requests.map(({ socket }) => socket)).size;
  }

  it.each([
    ['a body that was read', 200, (response: Response) => response.text()],
    ['a refusal whose body nobody wanted', 401, (response: Response) => response.body?.cancel()],
    ['an answer without a body', 204, (_: Response) => undefined],
  ])('is used again after %s', async (_, status, read) => {
    expect(await connectionsFor(read, status)).toBe(1);
  });

  it('is given up with a body that would go on', async () => {
    const { url, sockets } = await startRaw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'),
    );
    const { body } = await createHttpFetch()(url, {});
    await body?.cancel();
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  });

  it('that says more after a HEAD is not taken for the next answer', async () => {
    const { url, sockets } = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'), 5);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue'));
    });
    const ask = createHttpFetch();
    await ask(url, { method: 'HEAD' });
    await expect.poll(() => sockets[0]?.destroyed, { timeout: 5000 }).toBe(true);
    const next = await ask(url, {}).then((response) => response.text(), String);
    expect(next).not.toBe('forged');
    expect(sockets.length).toBeGreaterThan(0);
  });
});

describe('an early answer to an upload', () => {
  it('is the answer, and the rest of the body is not waited for', async () => {
    const { url } = await startServer((request, response) => {
      answer(response, 413, 'too much', { connection: 'close' });
      setTimeout(() => request.destroy(), 20);
    });
    const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
    const response = await createHttpFetch()(url.href, { method: 'PUT', body: endless(resolve), ...stream });
    expect([response.status, await response.text()]).toEqual([413, 'too much']);
    await cancelled;
  });
});

describe('the message behind a body', () => {
  it('is given once, and never when somebody has begun to read', async () => {
    const { url } = await startServer((_, response) => answer(response, 200, 'content'));
    const ask = createHttpFetch();
    const read = await ask(url.href, {});
    const { body } = read;
    await read.text();
    expect(nativeBody(body)).toBeUndefined();
    const begun = await ask(url.href, {});
    const reader = begun.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect(nativeBody(begun.body)).toBeUndefined();
    expect(nativeBody(new Response('other').body)).toBeUndefined();
    const whole = await ask(url.href, {});
    expect(nativeBody(whole.body)?.resume()).toBeDefined();
  });
});

it('an exception in a handler ends the request to upstream, and not the process', async () => {
  const { url } = await startServer((_request, response) => void response.end('whole'));
  const logged: string[] = [];
  const ask = createHttpFetch(undefined, (level, message, facts) =>
    logged.push(`${level} ${message}: ${facts?.reason}`),
  );
  const wrong = () => {
    throw new Error('a fault of the program');
  };
  const signal = Object.assign(new AbortController().signal, { removeEventListener: wrong });
  const response = await ask(url.href, { signal });
  expect(await response.text()).toBe('whole');
  await expect
    .poll(() => logged)
    .toEqual([
      'error a request to upstream ends: an event of it could not be handled: a fault of the program',
    ]);
});

describe('a body without a length that upstream ends by a reset', () => {
  const cutBody = () =>
    startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      socket.write(Buffer.alloc(50_000));
      setTimeout(() => socket.resetAndDestroy(), 100);
    });

  it('breaks off for its reader, and does not end', async () => {
    const { url } = await cutBody();
    const response = await createHttpFetch()(url, {});
    await expect(response.arrayBuffer()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('breaks off for a client that it is relayed to', async () => {
    const { url } = await cutBody();
    const response = await createHttpFetch()(url, {});
    const message = nativeBody(response.body as ReadableStream);
    let ended = false;
    message?.on('end', () => {
      ended = true;
    });
    message?.resume();
    await new Promise<void>((resolve) => message?.once('close', () => resolve()));
    expect(ended).toBe(false);
    expect(message?.errored).toMatchObject({ code: 'ECONNRESET' });
  });
});

it('requests with a header that cannot be sent leave their connection to the next request', async () => {
  const { url, sockets } = await startRaw(() => undefined);
  const ask = createHttpFetch();
  for (let requests = 0; requests < 5; requests += 1) {
    const asking = ask(url, { headers: { accept: 'a\r\nb: c' } });
    await expect(asking).rejects.toMatchObject({ code: 'ERR_INVALID_CHAR' });
    await expect.poll(() => sockets.length).toBeGreaterThan(0);
    await sleep(20);
  }
  expect(sockets).toHaveLength(1);
});
