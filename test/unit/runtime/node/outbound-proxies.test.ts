import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readSettings } from '../../../../src/config/settings.ts';
import { nodePlatform } from '../../../../src/runtime/node/platform.ts';
import { listen } from '../../../support/listen.ts';

let asked: string[];

async function startOutboundProxy(name: string): Promise<string> {
  const { host, stop } = await listen(
    createServer((request, response) => {
      asked.push(`${name} ${request.url}`);
      response.end();
    }),
  );
  onTestFinished(() => stop());
  return `http://${host}`;
}

beforeEach(() => {
  asked = [];
});
afterEach(() => void vi.unstubAllEnvs());

const platform = () => nodePlatform(() => {});

function fetchWithProxy(proxy: string) {
  const read = readSettings({
    REGSHIFT_UPSTREAM: 'http://registry.example',
    REGSHIFT_UPSTREAM_PROXY: proxy,
  });
  const [route] = 'settings' in read ? read.settings.routes : [];
  return route && platform().fetchFor?.(route);
}

describe('the platform of Node', () => {
  it('uses the proxies of the environment for all requests', async () => {
    vi.stubEnv('HTTP_PROXY', await startOutboundProxy('environment'));
    await platform().fetch('http://registry.example/v2/', {});
    expect(asked).toEqual(['environment http://registry.example/v2/']);
  });

  it('uses the proxy of a route for its requests, except for the hosts of NO_PROXY', async () => {
    vi.stubEnv('HTTP_PROXY', await startOutboundProxy('environment'));
    vi.stubEnv('NO_PROXY', '127.0.0.0/8,direct.invalid');
    const fetchRoute = fetchWithProxy(await startOutboundProxy('route'));
    await fetchRoute?.('http://registry.example/v2/', {});
    expect(asked).toEqual(['route http://registry.example/v2/']);
    await expect(fetchRoute?.('http://direct.invalid/', {})).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });

  it('connects directly where the route says none', async () => {
    vi.stubEnv('HTTP_PROXY', await startOutboundProxy('environment'));
    const direct = fetchWithProxy('none');
    await expect(direct?.('http://registry.invalid/', {})).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
    expect(asked).toEqual([]);
  });

  it('is not made with a proxy that it cannot use', () => {
    vi.stubEnv('HTTPS_PROXY', 'socks5://user:hunter2@proxy.example');
    expect(platform).toThrow(/^HTTPS_PROXY must be the URL of an HTTP proxy, like [^ ]+$/);
  });
});
