import { describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../src/config/settings.ts';
import { serve } from '../../../src/runtime/node/serve.ts';
import { checkedSettings } from '../../support/checked-settings.ts';
import { freePort } from '../../support/daemon.ts';
import { rawRequest } from '../../support/raw-http.ts';
import { answer, startServer } from '../upstream/local-server.ts';

async function startAll(match: (port: number) => object) {
  const asked: string[] = [];
  const registry = await startServer((request, response) => {
    asked.push(request.url ?? '');
    answer(response, 200, JSON.stringify({ name: 'x', tags: ['here'] }));
  });
  const elsewhere: string[] = [];
  const other = await startServer((request, response) => {
    elsewhere.push(request.url ?? '');
    answer(response, 200, '{}');
  });
  const port = await freePort();
  const config = { upstreamAuth: 'anonymous', routes: [{ match: match(port), upstream: registry.url.href }] };
  const read = readSettings({ PORT: '0', REGSHIFT_CONFIG: JSON.stringify(config) });
  const proxy = await serve(await checkedSettings(read), () => {});
  onTestFinished(() => proxy.close());
  return { proxy, port, asked, elsewhere, other: other.url };
}

describe('on Node', () => {
  it('regshift listens only at the ports of routes that name ports', async () => {
    const { proxy, port } = await startAll((own) => ({ port: own }));
    expect(proxy.urls).toEqual([`http://127.0.0.1:${port}`]);
    expect((await fetch(`${proxy.url}/v2/x/tags/list`)).status).toBe(200);
  });

  it('regshift listens at PORT if a route serves any port', async () => {
    const { proxy } = await startAll(() => ({ path: 'a/' }));
    expect(proxy.urls).toHaveLength(1);
    expect((await fetch(`${proxy.url}/v2/a/x/tags/list`)).status).toBe(200);
  });

  it('the port is that of the connection, whatever the Host header names', async () => {
    const { port, asked } = await startAll((own) => ({ port: own }));
    const { status } = await rawRequest({
      port,
      method: 'GET',
      path: '/v2/x/tags/list',
      headers: [],
      host: '127.0.0.1:1',
    });
    expect([status, asked]).toEqual([200, ['/v2/x/tags/list']]);
  });

  it.each(['host', 'ns', 'target'])('an address in %s is never called', async (by) => {
    const { proxy, elsewhere, other, asked } = await startAll(() => ({}));
    const { host } = other;
    const path = {
      host: '/v2/x/tags/list',
      ns: `/v2/x/tags/list?ns=${host}`,
      target: `http://${host}/v2/x/tags/list`,
    }[by] as string;
    const port = Number(new URL(proxy.url).port);
    const { status } = await rawRequest({
      port,
      method: 'GET',
      path,
      headers: [],
      ...(by === 'host' ? { host } : {}),
    });
    expect(elsewhere).toEqual([]);
    expect([status, asked]).toEqual([200, ['/v2/x/tags/list']]);
  });
});
