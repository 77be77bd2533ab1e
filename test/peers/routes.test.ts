import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/clients/client.ts';
import { startContainerd } from '../support/clients/containerd.ts';
import { startDocker } from '../support/clients/docker.ts';
import { oldDocker } from '../support/clients/old-docker.ts';
import { startPodman } from '../support/clients/podman.ts';
import { skopeo } from '../support/clients/skopeo.ts';
import { freePort } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { type FileTree, readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { buildImage, pushImageAs } from '../support/real-image.ts';

/** Two registries with different images under the same name, behind one proxy with a route of every kind. */
interface Stage {
  readonly hub: DockerRegistry;
  readonly quay: DockerRegistry;
  readonly proxy: RunningProxy;
  readonly hubPort: number;
  readonly quayPort: number;
  readonly ofHub: FileTree;
  readonly ofQuay: FileTree;
  readonly directory: string;
}

async function setUp(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-routes-'));
  const [hub, quay] = [await startDockerRegistry(), await startDockerRegistry()];
  const first = await buildImage(join(directory, 'first'), 'amd64');
  const second = await buildImage(join(directory, 'second'), 'amd64');
  const host = ({ url }: DockerRegistry) => new URL(url).host;
  await pushImageAs(first, 'oci', `${host(hub)}/library/busybox:latest`);
  await pushImageAs(first, 'oci', `${host(hub)}/team/app:latest`);
  await pushImageAs(second, 'oci', `${host(quay)}/team/app:latest`);
  await pushImageAs(second, 'oci', `${host(quay)}/deep/er/name:latest`);
  const [hubPort, quayPort, nobody] = [await freePort(), await freePort(), await freePort()];
  const config = {
    upstreamAuth: 'anonymous',
    routes: [
      { match: { path: 'hub/', ns: 'docker.io' }, upstream: hub.url },
      { match: { path: 'quay/', ns: 'quay.io' }, upstream: quay.url },
      { match: { alias: { 'tools/build': 'deep/er/name' } }, upstream: quay.url },
      { match: { host: 'localhost' }, upstream: quay.url },
      { match: { port: hubPort }, upstream: hub.url },
      { match: { port: quayPort }, upstream: [`http://127.0.0.1:${nobody}`, quay.url] },
    ],
  };
  const proxy = await startProxy(hub.url, { REGSHIFT_CONFIG: JSON.stringify(config) });
  return { hub, quay, proxy, hubPort, quayPort, ofHub: first.files, ofQuay: second.files, directory };
}

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('routes, by real clients', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setUp();
  });
  afterAll(async () => {
    await stage?.proxy.stop();
    await stage?.hub.stop();
    await stage?.quay.stop();
    if (stage) await rm(stage.directory, { recursive: true, force: true });
  });

  async function using<Result>(start: () => Promise<Client>, use: (client: Client) => Promise<Result>) {
    const client = await start();
    try {
      return await use(client);
    } finally {
      await client.stop();
    }
  }
  const files = async (client: Client, reference: string) => readTree(await client.pull(reference));

  it('has two images that differ', () => expect(stage.ofHub).not.toEqual(stage.ofQuay));

  it('skopeo: by path, alias, host and port, and past a registry that is away', async () => {
    const { proxy, hubPort, quayPort, ofHub, ofQuay } = stage;
    await using(skopeo.start, async (client) => {
      const at = (port: number, name: string) => files(client, `127.0.0.1:${port}/${name}:latest`);
      expect(await at(proxy.port, 'hub/team/app')).toEqual(ofHub);
      expect(await at(proxy.port, 'quay/team/app')).toEqual(ofQuay);
      expect(await at(proxy.port, 'tools/build')).toEqual(ofQuay);
      expect(await files(client, `localhost:${proxy.port}/team/app:latest`)).toEqual(ofQuay);
      expect(await at(hubPort, 'team/app')).toEqual(ofHub);
      expect(await at(quayPort, 'team/app')).toEqual(ofQuay);
      await expect(at(proxy.port, 'team/app')).rejects.toThrow(/No route of this proxy|name unknown/);
      await expect(at(hubPort, 'hub/team/app')).rejects.toThrow(/unknown/);
    });
  });

  it('skopeo: tags of a path, all of them', async () => {
    const { proxy, directory } = stage;
    const reference = `docker://127.0.0.1:${proxy.port}/hub/library/busybox`;
    const listed = await runProgram('skopeo', ['list-tags', '--tls-verify=false', reference], directory);
    expect(JSON.parse(listed)).toEqual({
      Repository: `127.0.0.1:${proxy.port}/hub/library/busybox`,
      Tags: ['latest'],
    });
  });

  it.skipIf(requirePeers('tar'))('Docker 1.9 by hand: by path and by alias', async () => {
    const { proxy, ofHub, ofQuay } = stage;
    await using(oldDocker.start, async (client) => {
      // The program does not remove files that a layer deletes.
      const hub = await files(client, `127.0.0.1:${proxy.port}/hub/library/busybox:latest`);
      expect(hub).toMatchObject(ofHub);
      expect(await files(client, `127.0.0.1:${proxy.port}/tools/build:latest`)).toMatchObject(ofQuay);
      expect(hub).not.toMatchObject(ofQuay);
    });
  });

  it.skipIf(requirePeers('containerd', 'ctr'))(
    "containerd: by ns, and by a path of its host's own",
    async () => {
      const { proxy, ofHub, ofQuay } = stage;
      const address = `http://127.0.0.1:${proxy.port}`;
      // Nothing listens at the first port: only the mirror can serve the pull.
      const mirrored = (mirror: string, more = '') =>
        `server = "http://127.0.0.1:1"\n[host."${mirror}"]\n  capabilities = ["pull", "resolve"]\n${more}`;
      const hosts = {
        'docker.io': mirrored(address),
        'quay.io': mirrored(address),
        'ghcr.io': mirrored(address),
        'own.example': mirrored(`${address}/v2/quay`, '  override_path = true\n'),
      };
      await using(
        () => startContainerd(hosts),
        async (client) => {
          expect(await files(client, 'docker.io/library/busybox:latest')).toEqual(ofHub);
          expect(await files(client, 'docker.io/team/app:latest')).toEqual(ofHub);
          expect(await files(client, 'quay.io/team/app:latest')).toEqual(ofQuay);
          expect(await files(client, 'own.example/team/app:latest')).toEqual(ofQuay);
          await expect(files(client, 'ghcr.io/team/app:latest')).rejects.toThrow();
        },
      );
    },
  );

  it.skipIf(requirePeers('dockerd', 'docker', 'unshare'))(
    'dockerd: as its mirror of Docker Hub, and by path',
    async () => {
      const { proxy, hubPort, ofHub, ofQuay } = stage;
      await using(
        () => startDocker(['--registry-mirror', `http://127.0.0.1:${hubPort}`]),
        async (client) => {
          expect(await files(client, 'busybox:latest')).toEqual(ofHub);
          expect(await files(client, `127.0.0.1:${proxy.port}/quay/team/app:latest`)).toEqual(ofQuay);
        },
      );
    },
  );

  it.skipIf(requirePeers('podman'))('podman: by prefix and location, and as a mirror', async () => {
    const { proxy, ofHub, ofQuay } = stage;
    const conf = `
[[registry]]
prefix = "docker.io"
location = "127.0.0.1:${proxy.port}/hub"
insecure = true
[[registry]]
prefix = "quay.io"
location = "127.0.0.1:1"
[[registry.mirror]]
location = "127.0.0.1:${proxy.port}/quay"
insecure = true
`;
    await using(
      () => startPodman(conf),
      async (client) => {
        expect(await files(client, 'docker.io/library/busybox:latest')).toEqual(ofHub);
        expect(await files(client, 'quay.io/team/app:latest')).toEqual(ofQuay);
      },
    );
  });
});
