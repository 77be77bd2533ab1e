import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../../../support/certificate.ts';
import { startServeProcess } from '../../../support/serve-process.ts';

const half = 'GET /v2/ HTTP/1.1\r\nHost: ';
const rest = 'a\r\n\r\n';

/** Starts regshift as a process. @returns its port, and `stop`, which sends SIGTERM and waits for the end of the process. */
async function start(variables: Record<string, string>) {
  const { port, child } = await startServeProcess({ REGSHIFT_SHUTDOWN_GRACE: '0', ...variables });
  const stop = async () => {
    const started = performance.now();
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    const [code] = await ended;
    return { code, seconds: (performance.now() - started) / 1000 };
  };
  return { port, stop };
}

async function open(port: number, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return text;
}

it('a connection without a whole head of a request does not hold up the stop', async () => {
  const { port, stop } = await start({});
  const kept = await open(port, `${half}${rest}`);
  await once(kept, 'data');
  kept.write(half);
  await open(port, half);
  await open(port);
  await sleep(100);
  const { code, seconds } = await stop();
  expect(code).toBe(0);
  expect(seconds).toBeLessThan(5);
});

it('nor does one over TLS, with and without a handshake', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-shutdown-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { cert, key } = makeCertificate(folder, 'proxy');
  const files = { REGSHIFT_TLS_CERT: join(folder, 'cert'), REGSHIFT_TLS_KEY: join(folder, 'key') };
  writeFileSync(files.REGSHIFT_TLS_CERT, cert);
  writeFileSync(files.REGSHIFT_TLS_KEY, key);
  const { port, stop } = await start(files);
  await open(port);
  const secure = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect');
  const served = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
  served.write(half);
  await sleep(100);
  const stopped = stop();
  await sleep(300);
  secure.write(`${half}${rest}`);
  const response = await textOf(secure);
  expect(response).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(response.toLowerCase()).toContain('connection: close');
  const { code, seconds } = await stopped;
  expect(code).toBe(0);
  expect(seconds).toBeLessThan(5);
});

it('a request whose head is whole soon after the stop gets its response', async () => {
  const { port, stop } = await start({});
  const socket = await open(port, half);
  const text = textOf(socket);
  const stopped = stop();
  await sleep(300);
  socket.write(rest);
  expect(await text).toMatch(/^HTTP\/1\.1 200 OK/);
  expect((await stopped).code).toBe(0);
});
