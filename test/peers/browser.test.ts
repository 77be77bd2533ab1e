import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { runInPage } from '../support/browser.ts';
import { alice, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';

const sample = 'sample/oci';

/** The setting of docker-registry that registry UIs ask for. */
const headers = {
  'Access-Control-Allow-Origin': ['*'],
  'Access-Control-Allow-Methods': ['HEAD', 'GET', 'OPTIONS', 'DELETE'],
  'Access-Control-Allow-Headers': ['Authorization', 'Accept', 'Cache-Control'],
  'Access-Control-Expose-Headers': ['Docker-Content-Digest'],
};

/** Asks like a registry UI: `Cache-Control` makes the browser send a preflight. */
function ask(port: number, path: string, more: Record<string, string> = {}): Promise<string> {
  const all = { 'Cache-Control': 'no-store', Accept: mediaTypes.schema2, ...more };
  return runInPage(`
    const response = await fetch('http://127.0.0.1:${port}${path}', { headers: ${JSON.stringify(all)} });
    return response.status + ' ' + (await response.text()).length + ' ' + response.headers.get('docker-content-digest');
  `);
}

describe.skipIf(requirePeers('chromium', 'docker-registry'))('a page in a real browser', () => {
  let registry: DockerRegistry;
  let closed: DockerRegistry;
  let proxy: RunningProxy;
  let other: RunningProxy;
  beforeAll(async () => {
    registry = await startDockerRegistry({ headers, samples: [sample] });
    closed = await startDockerRegistry({ samples: [sample] });
    proxy = await startProxy(registry.url);
    other = await startProxy(closed.url);
  });
  afterAll(async () => {
    for (const each of [proxy, other, registry, closed]) await each?.stop();
  });

  it('reads a manifest that regshift converts, a list and an error', async () => {
    expect(await ask(proxy.port, `/v2/${sample}/manifests/latest`)).toMatch(/^200 \d{3,} sha256:/);
    expect(await ask(proxy.port, `/v2/${sample}/tags/list`)).toMatch(/^200 /);
    expect(await ask(proxy.port, '/v2/sample/none/manifests/latest')).toMatch(/^404 \d{2,} null$/);
  });

  it('reads nothing where the registry lets no page read', async () => {
    expect(await ask(other.port, `/v2/${sample}/manifests/latest`)).toContain('failed: TypeError');
  });
});

describe.skipIf(requirePeers('chromium', 'docker-registry'))('a page with a login', () => {
  it('gets the preflight that the registry gives: docker-registry refuses it without a login', async () => {
    const registry = await startDockerRegistry({ headers, htpasswd: alice.htpasswd, samples: [sample] });
    const proxy = await startProxy(registry.url);
    try {
      const login = { Authorization: `Basic ${btoa(alice.login)}` };
      const direct = await ask(registry.port, `/v2/${sample}/tags/list`, login);
      expect(direct).toContain('failed: TypeError');
      expect(await ask(proxy.port, `/v2/${sample}/tags/list`, login)).toBe(direct);
    } finally {
      await proxy.stop();
      await registry.stop();
    }
  });
});
