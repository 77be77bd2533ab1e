import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { alice, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { rawRequest } from '../support/raw-http.ts';

const sample = 'sample/schema2';

describe.skipIf(requirePeers('docker-registry'))('docker-registry, logged in to by a helper', () => {
  let home: string;
  let registry: DockerRegistry;
  const proxies: RunningProxy[] = [];
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-helper-'));
    registry = await startDockerRegistry({ htpasswd: alice.htpasswd, samples: [sample] });
    vi.stubEnv('PATH', [home, process.env.PATH].join(delimiter));
  });
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** Installs a credential helper that has a login for one server. */
  async function keep(name: string, server: string, secret: string): Promise<void> {
    const script = `#!/bin/sh
if [ "$(cat)" = '${server}' ]; then echo '{"Username":"alice","Secret":"${secret}"}'
else echo 'credentials not found in native keychain'; exit 1; fi
`;
    await writeFile(join(home, `docker-credential-${name}`), script, { mode: 0o755 });
  }

  async function proxyWith(config: object): Promise<RunningProxy> {
    const proxy = await startProxy(registry.url, {
      REGSHIFT_UPSTREAM_AUTH: 'docker-config',
      REGSHIFT_CLIENT_AUTH: 'none',
      REGSHIFT_DOCKER_CONFIG: JSON.stringify(config),
    });
    proxies.push(proxy);
    return proxy;
  }

  async function pull({ port }: RunningProxy): Promise<number> {
    const headers = manifestRequestHeaders['Docker 1.9.1'];
    return (await rawRequest({ port, method: 'GET', path: `/v2/${sample}/manifests/latest`, headers }))
      .status;
  }

  it('of this registry alone', async () => {
    const { host } = new URL(registry.url);
    await keep('of-a-test', host, 'secret');
    expect(await pull(await proxyWith({ credHelpers: { [host]: 'of-a-test' } }))).toBe(200);
  });

  it('of all registries', async () => {
    await keep('store', new URL(registry.url).host, 'secret');
    expect(await pull(await proxyWith({ credsStore: 'store' }))).toBe(200);
  });

  it('that keeps a wrong login: clients are denied, and not asked for one', async () => {
    await keep('store', new URL(registry.url).host, 'guess');
    expect(await pull(await proxyWith({ credsStore: 'store' }))).toBe(403);
  });

  it('that keeps none: the proxy starts, and says so', async () => {
    await keep('store', 'elsewhere.test', 'secret');
    expect(await pull(await proxyWith({ credsStore: 'store' }))).toBe(503);
  });

  it('that is not installed: the proxy does not start', async () => {
    await expect(proxyWith({ credsStore: 'not-there' })).rejects.toThrow(
      'docker-credential-not-there is not in the PATH',
    );
  });
});
