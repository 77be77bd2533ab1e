import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Docker, withEngine } from '../support/clients/docker.ts';
import { freePort } from '../support/daemon.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushSample } from '../support/push.ts';

const sample = 'sample/oci-zstd';

describe.skipIf(requirePeers('docker-registry', 'dockerd', 'docker', 'unshare'))(
  'mixed-engines.md: a swarm of Docker 20.10, and an image with zstd layers',
  () => {
    let registry: DockerRegistry;
    let proxy: RunningProxy;
    let image: string;
    let stored: string;
    beforeAll(async () => {
      registry = await startDockerRegistry();
      await pushSample(registry.url, sample);
      proxy = await startProxy(registry.url);
      image = `127.0.0.1:${proxy.port}/${sample}`;
      const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
      const response = await fetch(`${registry.url}/v2/${sample}/manifests/latest`, { headers });
      stored = response.headers.get('Docker-Content-Digest') ?? '';
    });
    afterAll(async () => {
      await proxy?.stop();
      await registry?.stop();
    });

    /** Runs a manager, which is the only node. */
    const withSwarm = (use: (docker: Docker) => Promise<void>) =>
      withEngine([], async (docker) => {
        const address = `127.0.0.1:${await freePort()}`;
        await docker('swarm', 'init', '--advertise-addr', address, '--listen-addr', address);
        await use(docker);
      });
    const imageOf = async (docker: Docker, service: string) => {
      const format = '{{.Spec.TaskTemplate.ContainerSpec.Image}}';
      return (await docker('service', 'inspect', '--format', format, service)).trim();
    };

    it('the service has the digest that regshift made for the manager, and every node pulls it', () =>
      withSwarm(async (docker) => {
        await docker('service', 'create', '--detach', '--name', 'app', `${image}:latest`);
        const pinned = await imageOf(docker, 'app');
        expect(pinned).toMatch(/:latest@sha256:[0-9a-f]{64}$/);
        expect(pinned).not.toContain(stored);
        await docker('pull', '--quiet', pinned);
      }));

    it('a node that cannot read the stored digest gets the digest to use instead', () =>
      withSwarm(async (docker) => {
        await docker('service', 'create', '--detach', '--name', 'stored', `${image}@${stored}`);
        expect(await imageOf(docker, 'stored')).toContain(stored);
        const pull = docker('pull', '--quiet', `${image}@${stored}`);
        await expect(pull).rejects.toThrow(/Pull sample\/oci-zstd@sha256:[0-9a-f]{64} instead/);
      }));

    it('--no-resolve-image leaves the tag in the service', () =>
      withSwarm(async (docker) => {
        const options = ['--detach', '--no-resolve-image', '--name', 'tag'];
        await docker('service', 'create', ...options, `${image}:latest`);
        expect(await imageOf(docker, 'tag')).toBe(`${image}:latest`);
      }));
  },
);
