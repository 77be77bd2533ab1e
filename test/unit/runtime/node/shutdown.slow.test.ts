import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../../src/config/settings.ts';
import { serve } from '../../../../src/runtime/node/serve.ts';
import { checkedSettings } from '../../../support/checked-settings.ts';
import { testSigningKey } from '../../../support/signing-key.ts';

const size = 2_000_000;
const digest = `sha256:${'a'.repeat(64)}`;

/**
 * Starts a registry that takes this long to send its one layer, and as long to report that a manifest does not exist.
 */
async function slowRegistry(milliseconds: number): Promise<string> {
  const server = createServer(async ({ url }, response) => {
    if (url?.includes('/manifests/')) {
      await sleep(milliseconds);
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-length': size });
    for (let sent = 0; sent < size && !response.destroyed; sent += size / 20) {
      response.write(new Uint8Array(size / 20));
      await sleep(milliseconds / 20);
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(upstream: string, variables: Record<string, string>) {
  const read = readSettings({
    PORT: '0',
    REGSHIFT_UPSTREAM: upstream,
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    REGSHIFT_UPSTREAM_AUTH: 'anonymous',
    ...variables,
  });
  const logged: string[] = [];
  const running = await serve(await checkedSettings(read), (level, message, facts) =>
    logged.push(`${level} ${message} ${JSON.stringify(facts ?? {})}`),
  );
  onTestFinished(() => running.close().catch(() => undefined));
  return { ...running, logged };
}

async function pull(url: string) {
  const response = await fetch(`${url}/v2/app/blobs/${digest}`);
  const connection = response.headers.get('connection');
  const bytes = await response.arrayBuffer().then(
    (body) => body.byteLength,
    () => 'cut' as const,
  );
  return { status: response.status, connection, bytes };
}

const isRefused = (url: string) =>
  fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );

it('finishes requests in flight, and accepts no new connection', async () => {
  const running = await start(await slowRegistry(6000), { REGSHIFT_SHUTDOWN_GRACE: '3' });
  const { url } = running;
  const pulls = Array.from({ length: 40 }, () => pull(url));
  await sleep(300);
  const stopped = running.shutDown(false);
  // During the grace time, only the readiness probe changes.
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  pulls.push(pull(url));
  await sleep(3_050);
  expect(await isRefused(url)).toBe(true);
  const started = performance.now();
  for (const each of await Promise.all(pulls)) expect(each).toMatchObject({ status: 200, bytes: size });
  await stopped;
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(running.logged.filter((line) => line.includes('were cut'))).toEqual([]);
});

it('each later response is the last one on its connection, and idle connections are closed', async () => {
  const running = await start(await slowRegistry(800), { REGSHIFT_SHUTDOWN_GRACE: '0' });
  const { hostname, port } = new URL(running.url);
  const idle = connect(Number(port), hostname);
  idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  const waiting = connect(Number(port), hostname);
  let answered = '';
  waiting.on('data', (chunk) => {
    answered += chunk.toString('latin1').slice(0, 2_000);
  });
  waiting.write('GET /v2/app/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n');
  await sleep(100);
  const ended = once(idle, 'close');
  const stopped = running.shutDown(false);
  await ended;
  await Promise.all([stopped, once(waiting, 'close')]);
  expect(answered).toMatch(/^HTTP\/1\.1 \d{3} /);
  expect(answered.toLowerCase()).toContain('connection: close');
});

it('cuts unfinished responses at the deadline, and logs them', async () => {
  const running = await start(await slowRegistry(60_000), {
    REGSHIFT_SHUTDOWN_GRACE: '0',
    REGSHIFT_SHUTDOWN_DEADLINE: '1',
  });
  const cut = pull(running.url);
  await sleep(300);
  const started = performance.now();
  await running.shutDown(false);
  const took = performance.now() - started;
  expect(took).toBeGreaterThan(900);
  expect(took).toBeLessThan(5_000);
  expect((await cut).bytes).toBe('cut');
  expect(running.logged.join('\n')).toContain('warn stopping: answers were cut at the deadline {"cut":1}');
  await expect
    .poll(() => running.logged.find((line) => line.includes('info request ')))
    .toContain('"cut":true');
});
