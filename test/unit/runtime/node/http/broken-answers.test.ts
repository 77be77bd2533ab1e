import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectSecure } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { responseWithUpstreamBody } from '../../../../../src/http/upstream-body.ts';
import { createListener } from '../../../../../src/runtime/node/http/listener.ts';
import { close, createProxyServer, listen, urlOf } from '../../../../../src/runtime/node/http/server.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { endOfConnection } from '../../../../support/end-of-connection.ts';
import {
  blobPath,
  breakingOff,
  bytesBeforeBreak,
  startLengthlessRegistry,
  untilSendTimeout,
} from '../../../../support/lengthless-registry.ts';
import { requirePeers } from '../../../../support/programs.ts';
import { startProxy } from '../../../../support/proxy.ts';
import { startWireTap } from '../../../../support/wire-tap.ts';

interface Heard {
  readonly bytes: number;
  readonly text: string;
  /** `end` after FIN, otherwise the code of the socket's error. */
  readonly end: string;
}

describe.skipIf(requirePeers('openssl'))('an answer that breaks off', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-broken-'));
  let tls: Record<string, string>;
  beforeAll(() => {
    const { cert, key } = makeCertificate(folder, 'one');
    tls = { REGSHIFT_TLS_CERT: cert, REGSHIFT_TLS_KEY: key };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const dial = {
    'plain HTTP': (port: number): Socket => connectPlain(port, '127.0.0.1'),
    'TLS 1.2': (port: number): Socket =>
      connectSecure({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' }),
    'TLS 1.3': (port: number): Socket =>
      connectSecure({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  } as const;
  type Way = keyof typeof dial;
  const ways = Object.keys(dial) as Way[];

  async function start(way: Way, blob: (response: ServerResponse) => void) {
    const logged: string[] = [];
    const registry = await startLengthlessRegistry(blob);
    onTestFinished(() => registry.stop());
    const proxy = await startProxy(registry.url, way === 'plain HTTP' ? {} : tls, (level, message) =>
      logged.push(`${level} ${message}`),
    );
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= proxy.stop();
      return stopped;
    };
    onTestFinished(stop);
    const tap = await startWireTap(proxy.port);
    onTestFinished(() => tap.stop());
    return { tap, logged, port: proxy.port, stop };
  }

  async function ask(way: Way, port: number, version: string, pause = 0): Promise<Heard> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = dial[way](port);
    onTestFinished(() => void socket.destroy());
    const chunks: Uint8Array[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.write(`GET ${blobPath} HTTP/${version}\r\nHost: x\r\n\r\n`);
    await sleep(pause);
    socket.on('data', (chunk) => chunks.push(chunk));
    const end = await promise;
    const text = Buffer.concat(chunks).toString('latin1');
    return { bytes: text.length - text.indexOf('\r\n\r\n') - 4, text, end };
  }

  const isServing = async (way: Way, port: number) => {
    const socket = dial[way](port);
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    return String(Buffer.concat(await socket.toArray())).endsWith('\r\n\r\nok\n');
  };

  it.each(ways)('is reset for HTTP/1.0, without FIN and close_notify: %s', async (way) => {
    const { port, tap, logged } = await start(way, breakingOff);
    const heard = await ask(way, tap.port, '1.0');
    expect(heard).toMatchObject({ bytes: bytesBeforeBreak, end: broken(way) });
    expect(heard.text).not.toContain('Content-Length');
    await expect.poll(tap.ended).toContain('ECONNRESET');
    if (way === 'TLS 1.2') expect(alertsIn(tap.sent())).toEqual([fatal]);
    expect(await isServing(way, port)).toBe(true);
    expect(logged.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it.each(ways)('is reset for HTTP/1.0 whose client does not read: %s', async (way) => {
    const { port, tap } = await start(way, untilSendTimeout);
    const heard = await ask(way, port, '1.0', 1_500);
    expect(heard.bytes).toBeGreaterThan(bytesBeforeBreak);
    expect(heard.end).toEqual(broken(way));
    expect(await isServing(way, tap.port)).toBe(true);
  });

  it.each(ways)('has no last chunk for HTTP/1.1: %s', async (way) => {
    const { tap } = await start(way, breakingOff);
    const { text } = await ask(way, tap.port, '1.1');
    expect(text).toContain('Transfer-Encoding: chunked');
    expect(text).toContain('a'.repeat(bytesBeforeBreak));
    expect(text).not.toMatch(/\r\n0\r\n/);
  });

  it.each(ways)('is reset when the proxy ends: %s', async (way) => {
    const { port, stop } = await start(way, (response) => response.write(new Uint8Array(bytesBeforeBreak)));
    const heard = ask(way, port, '1.0');
    await sleep(300);
    await stop();
    expect(await heard).toMatchObject({ bytes: bytesBeforeBreak, end: broken(way) });
  });

  it.each(ways)('is reset for a client that ends its own side: %s', async (way) => {
    const { port } = await start(way, (response) => response.write(new Uint8Array(bytesBeforeBreak)));
    const { promise, resolve } = Promise.withResolvers<string>();
    const half = { port, host: '127.0.0.1', allowHalfOpen: true };
    const socket =
      way === 'plain HTTP' ? connectPlain(half) : connectSecure({ ...half, rejectUnauthorized: false });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.write(`GET ${blobPath} HTTP/1.0\r\n\r\n`);
    socket.once('data', () => socket.end());
    socket.resume();
    expect(await promise).toEqual(broken(way));
  });

  it('before its turn in a pipeline ends the connection in its turn, and the client waits no longer', async () => {
    let first: ServerResponse | undefined;
    const { port } = await start('plain HTTP', (response) => {
      if (first) return breakingOff(response);
      first = response;
    });
    const socket = connectPlain(port, '127.0.0.1');
    const asked = `GET ${blobPath} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(asked);
    await expect.poll(() => first).toBeDefined();
    socket.write(asked.replace('HTTP/1.1', 'HTTP/1.0'));
    await sleep(300);
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    first?.end('first');
    expect(await promise).toMatch(/^(?:ECONNRESET|end)$/);
    expect(text).toContain('first');
    expect(text).not.toContain('a'.repeat(100));
  });
});

it('an answer that stands still is reset as well', async () => {
  const app = {
    fetch: async () =>
      responseWithUpstreamBody(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) }), {}),
    responseCache: { lookup: () => undefined, revalidate: () => undefined },
  };
  const server = createProxyServer({ ...createListener(app), certificate: undefined });
  await listen(server, '127.0.0.1', 0);
  onTestFinished(() => close(server));
  server.setTimeout(200);
  const port = Number(new URL(urlOf(server)).port);
  const socket = connectPlain({ port, host: '127.0.0.1', allowHalfOpen: true });
  const ended = endOfConnection(socket);
  socket.write('GET / HTTP/1.0\r\n\r\n');
  await sleep(1_000);
  socket.resume();
  expect(await ended).toBe('ECONNRESET');
});

/** The client's error. Over TLS the alert precedes the reset, and the client reports it if it has read so far. */
const broken = (way: string) =>
  expect.stringMatching(way === 'plain HTTP' ? /^ECONNRESET$/ : /^(?:ECONNRESET|ERR_SSL_\w+)$/);

/** A fatal alert: level 2 (RFC 5246, section 7.2). `close_notify` would be encrypted by now, and longer. */
const fatal = [2, 80];

function alertsIn(bytes: Uint8Array): number[][] {
  const alerts: number[][] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + view.getUint16(at + 3);
    if (bytes[at] === 21) alerts.push([...bytes.subarray(at + 5, end)]);
    at = end;
  }
  return alerts;
}
