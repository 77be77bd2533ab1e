import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { startProxy } from '../support/proxy.ts';

/** tinyproxy, which requires a login and reaches `registry.example` at a port of this machine. */
async function startTinyproxy(port: number, registry: DockerRegistry): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-tinyproxy-'));
  const file = join(directory, 'tinyproxy.conf');
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'BasicAuth user secret',
    'ConnectPort 443',
    `LogFile "${join(directory, 'log')}"`,
    `Upstream http 127.0.0.1:${registry.port} "registry.example"`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const isReady = () =>
    new Promise<boolean>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
      socket.once('error', reject);
    });
  return startDaemon({ program: 'tinyproxy', args: ['-d', '-c', file], directory, isReady });
}

describe.skipIf(requirePeers('docker-registry', 'tinyproxy'))('behind tinyproxy', () => {
  let registry: DockerRegistry;
  let tinyproxy: Daemon;
  let port: number;
  beforeAll(async () => {
    registry = await startDockerRegistry({ samples: ['sample/oci'] });
    port = await freePort();
    tinyproxy = await startTinyproxy(port, registry);
  });
  afterAll(async () => {
    await tinyproxy?.stop();
    await registry?.stop();
  });

  /** Status and body of a pull's first request. */
  async function pull(upstream: string, outboundProxy: string) {
    const proxy = await startProxy(upstream, { REGSHIFT_UPSTREAM_PROXY: outboundProxy });
    try {
      const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
      const url = `http://127.0.0.1:${proxy.port}/v2/sample/oci/manifests/latest`;
      const response = await fetch(url, { headers });
      return { status: response.status, body: await response.text() };
    } finally {
      await proxy.stop();
    }
  }

  it('a registry that only the proxy reaches is reached', async () => {
    const { status, body } = await pull('http://registry.example', `http://user:secret@127.0.0.1:${port}`);
    expect(status).toBe(200);
    expect(body).toContain('"schemaVersion"');
  });

  it('a wrong login is named', async () => {
    const { status, body } = await pull('https://registry.example', `http://user:wrong@127.0.0.1:${port}`);
    expect(status).toBe(502);
    expect(body).toContain(`the outbound proxy 127.0.0.1:${port} failed: status 401: it wants a login`);
    expect(body).not.toContain('wrong');
  });

  it.each(['http', 'https'])('a missing login is named: %s', async (scheme) => {
    const { status, body } = await pull(`${scheme}://registry.example`, `http://127.0.0.1:${port}`);
    expect(status).toBe(502);
    expect(body).toContain(`the outbound proxy 127.0.0.1:${port} failed: status 407: it wants a login`);
  });

  it('a tunnel that it does not allow is named', async () => {
    const { status, body } = await pull(
      'https://registry.example:5000',
      `http://user:secret@127.0.0.1:${port}`,
    );
    expect(status).toBe(502);
    expect(body).toContain(
      `the outbound proxy 127.0.0.1:${port} failed: status 403: it does not allow this host`,
    );
  });
});
