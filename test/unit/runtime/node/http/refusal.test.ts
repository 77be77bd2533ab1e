import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Facts } from '../../../../../src/observability/log.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { requirePeers } from '../../../../support/programs.ts';
import { type RunningProxy, startProxy } from '../../../../support/proxy.ts';
import { tlsHellos } from '../../../../support/tls-hellos.ts';

/** The bytes that the client received, and how its connection ended. */
interface Heard {
  readonly text: string;
  readonly end: string;
}

/**
 * Sends the first part, and the rest once the response begins. The client reads the response only after it has sent
 * everything.
 */
async function sendInTwo(
  port: number,
  first: Uint8Array,
  rest: Uint8Array = new Uint8Array(),
): Promise<Heard> {
  const { promise, resolve, reject } = Promise.withResolvers<Heard>();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  const timer = setTimeout(() => reject(new Error(`no end after: ${text}`)), 5_000);
  socket.setNoDelay(true);
  socket.on('connect', () => socket.write(first));
  socket.once('readable', () => {
    const read = () => {
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.once('end', () => resolve({ text, end: 'FIN' }));
    };
    if (rest.length === 0) read();
    // The proxy has time to send a reset here, and must not send one.
    else socket.write(rest, () => setTimeout(read, 5));
  });
  socket.once('error', ({ message }) => resolve({ text, end: message }));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

const refusal = /^HTTP\/1\.1 400 Bad Request\r\n(?:.+\r\n)*\r\n.+\n$/;

describe('a TLS hello at the plain port', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy('https://upstream.test');
  });
  afterAll(() => proxy.stop());

  it('is there of many clients', () => {
    expect(tlsHellos.length).toBeGreaterThan(10);
  });

  it.each(tlsHellos)('is answered in HTTP, however it is split: %s', async (name, bytes) => {
    const whole = await sendInTwo(proxy.port, bytes);
    expect(whole).toEqual({ text: expect.stringMatching(refusal), end: 'FIN' });
    expect(whole.text).toContain('The client sent a TLS hello to a port that speaks plain HTTP.');
    for (let from = 1; from < bytes.length; from += 32) {
      const offsets = Array.from({ length: Math.min(32, bytes.length - from) }, (_, index) => from + index);
      const split = (at: number) => sendInTwo(proxy.port, bytes.subarray(0, at), bytes.subarray(at));
      for (const [index, heard] of (await Promise.all(offsets.map(split))).entries()) {
        expect(heard, `${name} at ${offsets[index]}`).toEqual({
          text: expect.stringMatching(refusal),
          end: 'FIN',
        });
      }
    }
  });

  it('is not reset while its client is still sending, so that no system drops the answer', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    const errors: string[] = [];
    socket.on('error', ({ message }) => errors.push(message));
    socket.write(Uint8Array.of(22));
    const ended = new Promise((resolve) => socket.once('end', resolve));
    socket.resume();
    await ended;
    for (let piece = 0; piece < 12; piece += 1) {
      socket.write(new Uint8Array(1_000));
      await sleep(8);
    }
    expect(errors).toEqual([]);
    socket.destroy();
  });

  it('ends by itself when its client neither reads nor leaves', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write(Uint8Array.of(22, 3, 1));
    await sleep(100);
    // When the proxy's end is closed, and not only shut down, its kernel answers each byte with a reset.
    await expect.poll(() => socket.destroyed || void socket.write('x'), { timeout: 5_000 }).toBe(true);
  });

  it('is not read without end', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    let taken = 0;
    const flood = () => {
      while (!socket.destroyed && socket.write(new Uint8Array(65_536).fill(22), () => (taken += 65_536)));
    };
    socket.on('drain', flood);
    flood();
    await promise;
    // The proxy's limit, and the buffers of both kernels.
    expect(taken).toBeLessThan(32 * 2 ** 20);
  });

  it('leaves the port for those who speak HTTP', async () => {
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/healthz`);
    expect(await answer.text()).toBe('ok\n');
  });
});

describe.skipIf(requirePeers('openssl'))('plain HTTP at the TLS port', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-wrong-protocol-'));
  let proxy: RunningProxy;
  beforeAll(async () => {
    const { cert, key } = makeCertificate(folder, 'one');
    const tls = { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key };
    proxy = await startProxy('https://upstream.test', tls);
  });
  afterAll(async () => {
    await proxy.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['HEAD /v2/ HTTP/1.0\r\n\r\n'],
    ['POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
  ])('is told so in plain: %s', async (request) => {
    const { text, end } = await sendInTwo(proxy.port, new TextEncoder().encode(request));
    expect(text).toMatch(refusal);
    expect(text).toContain('The client sent plain HTTP to a port that speaks TLS.');
    expect(end).toBe('FIN');
  });

  it('of which only a part has come is told so too', async () => {
    const [first, rest] = ['G', 'ET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'].map((each) =>
      new TextEncoder().encode(each),
    );
    const socket = connect(proxy.port, '127.0.0.1');
    socket.write(first ?? '');
    await sleep(50);
    socket.write(rest ?? '');
    const chunks = await socket.toArray();
    expect(Buffer.concat(chunks).toString()).toMatch(refusal);
  });
});

describe('a request that servers read in different ways', () => {
  let proxy: RunningProxy;
  let reached = 0;
  let upstream: Server;
  const usual = (response: ServerResponse) => void response.end('{}');
  let answer = usual;
  const logged: { readonly message: string; readonly facts: Facts | undefined }[] = [];
  beforeAll(async () => {
    upstream = createServer((_request, response) => {
      reached += 1;
      answer(response);
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    proxy = await startProxy(url, {}, (_level, message, facts) => logged.push({ message, facts }));
  });
  afterAll(async () => {
    await proxy.stop();
    upstream.close();
  });

  it.each([
    ['GET /healthz', ['Host: a', 'hOST: b'], 400],
    ['GET /healthz', ['Host: a', 'Host: a'], 400],
    ['PUT /v2/team/app/manifests/1', ['Host: a', 'Transfer-Encoding: gzip, chunked'], 501],
    [
      'PUT /v2/team/app/manifests/1',
      ['Host: a', 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
      501,
    ],
  ])('is refused: %s with %j', async (target, lines, status) => {
    const request = [`${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
    const body = status === 501 ? '2\r\n{}\r\n0\r\n\r\n' : '';
    const { text, end } = await sendInTwo(proxy.port, Buffer.from(request + body));
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(/^Connection: close\r$/m);
    expect(end).toBe('FIN');
    expect(reached).toBe(0);
    expect(logged.at(-1)).toMatchObject({ message: 'a request was refused unread', facts: { status } });
  });

  it.each([
    ['GET /healthz', 'Host: x:'],
    ['GET /healthz', 'Host: a b'],
    ['OPTIONS *', 'Host: a'],
    ['GET *', 'Host: a'],
  ])('that cannot be read is refused with a text and a line of the log: %s, %s', async (target, host) => {
    const [method] = target.split(' ');
    const { text } = await sendInTwo(proxy.port, Buffer.from(`${target} HTTP/1.1\r\n${host}\r\n\r\n`));
    expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\nThe request cannot be read \(/);
    expect(logged.at(-1)).toMatchObject({
      message: 'a request was refused unread',
      facts: { method, status: 400, address: '127.0.0.1', reason: expect.stringContaining('cannot be read') },
    });
  });

  it.each([
    [['Host: a', 'Content-Length: 2', 'Transfer-Encoding: chunked'], 400, 'Transfer-Encoding'],
    [['Host: a', 'Content-Length: 2', 'Content-Length: 2'], 400, 'Content-Length'],
    [['Host: a', 'X-Long: a', ' folded'], 400, 'header'],
    [['Host: a', `X-Long: ${'a'.repeat(40_000)}`], 431, 'Header'],
    [['Accept: */*'], 400, 'has no Host header'],
  ])(
    'that Node does not read is refused with its reason and a line of the log: %j',
    async (lines, status, reason) => {
      const { text } = await sendInTwo(
        proxy.port,
        Buffer.from(['GET / HTTP/1.1', ...lines, '', ''].join('\r\n')),
      );
      const [, body] = text.split('\r\n\r\n');
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(body).toContain(reason);
      expect(logged.at(-1)).toMatchObject({
        message: 'a request was refused unread',
        facts: { status, address: '127.0.0.1', reason: body?.trim() },
      });
    },
  );

  it.each([
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'The client speaks HTTP/2 to a port that speaks HTTP/1.1'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 11 22\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'sends the PROXY protocol'],
    ['\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000c', 'sends the PROXY protocol'],
  ])('another protocol of a load balancer is named: %j', async (sent, reason) => {
    const { text } = await sendInTwo(proxy.port, Buffer.from(sent));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain(reason);
    expect(logged.at(-1)).toMatchObject({ facts: { status: 400, reason: expect.stringContaining(reason) } });
  });

  it('a client that takes the proxy for an HTTP proxy is told so', async () => {
    const { text, end } = await sendInTwo(
      proxy.port,
      Buffer.from('CONNECT registry-1.docker.io:443 HTTP/1.1\r\nHost: registry-1.docker.io:443\r\n\r\n'),
    );
    expect(text).toMatch(/^HTTP\/1\.1 501 [\s\S]*take it out of HTTP_PROXY and HTTPS_PROXY/);
    expect(end).toBe('FIN');
    expect(logged.at(-1)).toMatchObject({ facts: { method: 'CONNECT', status: 501 } });
  });

  it.each([
    ['that is not there yet', ''],
    ['in transit', 'half of it'],
  ])('a CONNECT after another request does not get into its response: one %s', async (_, begin) => {
    const half = Promise.withResolvers<void>();
    answer = (response) => {
      if (begin !== '') response.writeHead(200, { 'Content-Length': 20 }).write(begin);
      half.resolve();
    };
    onTestFinished(() => {
      answer = usual;
    });
    const socket = connect(proxy.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`GET /v2/team/app/blobs/sha256:${'a'.repeat(64)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await half.promise;
    await expect.poll(() => text.endsWith(begin), { timeout: 10_000 }).toBe(true);
    socket.write('CONNECT registry.test:443 HTTP/1.1\r\nHost: registry.test:443\r\n\r\n');
    await closed;
    expect(text).not.toContain('501');
    expect(text.endsWith(begin)).toBe(true);
  });

  it('is not one of HTTP/0.9, which has no headers', async () => {
    expect((await sendInTwo(proxy.port, Buffer.from('GET /healthz\r\n\r\n'))).text).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it('is not one with an empty Host', async () => {
    const request = 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n';
    expect((await sendInTwo(proxy.port, Buffer.from(request))).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is not one with a chunked body and one Host', async () => {
    const head = ['PUT /v2/team/app/manifests/1 HTTP/1.1', 'Host: a', 'Transfer-Encoding: Chunked'];
    const request = [...head, 'Connection: close', '', '2\r\n{}\r\n0\r\n\r\n'].join('\r\n');
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => void warnings.push(message);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    expect((await sendInTwo(proxy.port, Buffer.from(request))).text).not.toMatch(/^HTTP\/1\.1 (?:400 B|501)/);
    expect(warnings).toEqual([]);
  });
});
