import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type BareWorkerd, memoryOf, startBareWorkerd } from '../support/bare-workerd.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { startUploadSink, type UploadSink } from '../support/upload-sink.ts';

const MiB = 2 ** 20;
const path = '/v2/a/blobs/uploads/u';

/** Request bodies on the wire in both runtimes: `fetch` and Node hide much of them from other tests. */
describe.each([
  ['Node', (upstream: string) => startNodeProcess({ REGSHIFT_UPSTREAM: upstream })],
  ['workerd', (upstream: string) => startBareWorkerd({ REGSHIFT_UPSTREAM: upstream })],
] as const)('a body on %s', (_, start) => {
  let sink: UploadSink;
  let proxy: BareWorkerd;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    sink = await startUploadSink();
    proxy = await start(sink.url);
  });
  afterEach(() => {
    sink.behave('read');
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    await proxy?.stop();
    await sink?.stop();
  });

  /** Opens a connection that keeps its responses as text. */
  function client(port = proxy.port) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    return {
      socket,
      received: () => received,
      until: (pattern: RegExp) => until(() => pattern.test(received)),
    };
  }

  async function until(holds: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !holds(); await sleep(10)) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${holds}`);
    }
  }

  const head = (method: string, ...lines: string[]) =>
    `${[`${method} ${path} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;
  const last = () => sink.taken.at(-1);

  it.each([
    ['its length', ['Content-Length: 5'], 'hello', { 'content-length': '5' }],
    [
      'chunks where it has none',
      ['Transfer-Encoding: chunked'],
      '5\r\nhello\r\n0\r\n\r\n',
      { 'transfer-encoding': 'chunked' },
    ],
    ['no body where it has none', ['Content-Length: 0'], '', { 'content-length': '0' }],
  ])('keeps %s', async (_name, lines, body, expected) => {
    const { socket, until } = client();
    socket.write(head('PATCH', ...lines) + body);
    await until(/^HTTP\/1.1 202/);
    expect(last()?.headers).toMatchObject(expected);
    expect(
      Object.keys(last()?.headers ?? {}).filter((name) => /content-length|transfer-encoding/.test(name)),
    ).toHaveLength(1);
    expect([last()?.length, last()?.end]).toEqual([body === '' ? 0 : 5, 'complete']);
  });

  it('is asked for with 100 where the client waits for that', async () => {
    const { socket, received, until } = client();
    socket.write(head('PATCH', 'Content-Length: 5', 'Expect: 100-continue'));
    await until(/^HTTP\/1.1 100 Continue\r\n\r\n/);
    socket.write('hello');
    await until(/HTTP\/1.1 202/);
    expect(received()).toMatch(/Location: http:\/\/a\/v2\/a\/blobs\/uploads\/u\r\n/i);
    expect(last()?.headers.expect).toBeUndefined();
  });

  it('of a GET goes nowhere, and the connection stays in step or is closed', async () => {
    const { socket, received, until } = client();
    const count = sink.taken.length;
    socket.write(
      'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: b',
    );
    await until(/^HTTP\/1.1 200/);
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await Promise.race([until(/\r\nok\n/i), new Promise((resolve) => socket.once('close', resolve))]);
    expect(received()).not.toMatch(/HTTP\/1.1 4/);
    expect(sink.taken.length).toBe(count);
  });

  it.each([
    ['its length', 'Content-Length: 500', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
    ['a part of a chunk', 'Transfer-Encoding: chunked', '50\r\nhello'],
  ])('with %s is let go upstream when its client leaves, and is not complete', async (_, line, part) => {
    const count = sink.taken.length;
    const { socket } = client();
    socket.write(`${head('PATCH', line)}${part}`);
    await until(() => sink.taken[count]?.length === 5);
    const mine = sink.taken[count];
    socket.destroy();
    await until(() => mine?.end !== undefined);
    expect(mine?.end).toBe('broken');
  });

  it.each(['Content-Length: 500', 'Transfer-Encoding: chunked'])(
    'whose client leaves before regshift knows the login is let go: %s',
    async (line) => {
      const asked = await startUploadSink();
      onTestFinished(asked.stop);
      asked.behave('hold');
      const fresh = await start(asked.url);
      onTestFinished(fresh.stop);
      const { socket } = client(fresh.port);
      socket.write(head('PATCH', line));
      await until(() => asked.held() > 0);
      socket.destroy();
      // The Worker learns of it, and gives the registry a moment to respond (`responseMs`).
      await sleep(1_000);
      asked.behave('read');
      const other = client(fresh.port);
      other.socket.write(`${head('PATCH', 'Content-Length: 5')}hello`);
      await other.until(/^HTTP\/1.1 202/);
      await until(() => asked.taken.every(({ end }) => end !== undefined));
      expect(asked.taken.filter(({ end }) => end === 'complete')).toHaveLength(1);
    },
  );

  it('that upstream refuses at once is refused with its words', async () => {
    sink.behave('refuse');
    const { socket, until } = client();
    socket.write(`${head('PATCH', `Content-Length: ${4 * MiB}`)}hello`);
    await until(/^HTTP\/1.1 413[\s\S]*SIZE_INVALID/);
  });

  it('is not redirected, and no other server sees it', async () => {
    sink.behave('redirect');
    const { socket, until } = client();
    socket.write(`${head('PATCH', 'Content-Length: 5')}hello`);
    await until(/^HTTP\/1.1 502[\s\S]*redirect/);
  });

  it('of 300 MiB is not held in memory', async () => {
    const upload = async (size: number) => {
      const { socket, until } = client();
      socket.write(head('PATCH', `Content-Length: ${size}`));
      const piece = new Uint8Array(MiB).fill(7);
      for (let sent = 0; sent < size; sent += piece.length) {
        if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
      }
      await until(/^HTTP\/1.1 202/);
      return last()?.length;
    };
    // The first upload leaves garbage that the collector has not freed; the next upload leaves no more.
    expect(await upload(100 * MiB)).toBe(100 * MiB);
    const before = memoryOf(proxy.pid);
    expect(await upload(300 * MiB)).toBe(300 * MiB);
    expect(memoryOf(proxy.pid) - before).toBeLessThan(60);
  });

  it('waits with its client where upstream does not read', async () => {
    sink.behave('stall');
    const before = memoryOf(proxy.pid);
    const { socket } = client();
    socket.write(head('PATCH', `Content-Length: ${200 * MiB}`));
    const piece = new Uint8Array(MiB);
    let written = 0;
    while (written < 200 && socket.write(piece)) written += 1;
    const drained = new Promise((resolve) => socket.once('drain', resolve));
    const more = (async () => {
      for (await drained; written < 200; written += 1) {
        if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
      }
    })();
    more.catch(() => undefined);
    await sleep(2_000);
    expect(memoryOf(proxy.pid) - before).toBeLessThan(60);
    expect(written).toBeLessThan(60);
  });
});
