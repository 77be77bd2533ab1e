import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { type Running, serve } from '../../src/runtime/node/serve.ts';
import { checkedSettings } from '../support/checked-settings.ts';
import { testSigningKey } from '../support/signing-key.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const registry = createServer(async (request, response) => {
  request.resume();
  if (request.url === '/v2/') return response.end('{}');
  await sleep(40_000);
  const location = `/v2/team/app/blobs/${digest}`;
  if (request.method !== 'GET') return response.writeHead(201, { location }).end();
  return response.end(request.url?.includes('tags') ? '{"name":"team/app","tags":["latest"]}' : 'content');
});
let proxy: Running;

beforeAll(async () => {
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const { port } = registry.address() as AddressInfo;
  const read = readSettings({
    PORT: '0',
    REGSHIFT_UPSTREAM: `http://127.0.0.1:${port}`,
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    REGSHIFT_UPSTREAM_AUTH: 'passthrough',
  });
  proxy = await serve(await checkedSettings(read), () => {});
});
afterAll(async () => {
  await proxy.close();
  registry.closeAllConnections();
  registry.close();
});

const upload = `/v2/team/app/blobs/uploads/x?digest=${digest}`;

it.concurrent.each([
  ['PUT', upload, undefined, 201, ''],
  ['PUT', upload, 'content', 201, ''],
  ['GET', `/v2/team/app/blobs/${digest}`, undefined, 200, 'content'],
  ['GET', '/v2/team/app/tags/list', undefined, 200, '{"name":"team/app","tags":["latest"]}'],
] as const)(
  '%s %s of a registry that takes 40 s is answered (body: %s)',
  async (method, path, body, status, text) => {
    const response = await fetch(`${proxy.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
    expect(response.status).toBe(status);
    expect((await response.text()).replace(/\s/g, '')).toBe(text);
  },
);
