import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { type Docker, withEngine } from '../support/clients/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { requirePeers } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { pushImage, pushSample } from '../support/push.ts';

const { ociConfig, ociLayerZstd, ociManifest } = mediaTypes;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** An image with a gzip layer that is labelled zstd. */
function mislabelled() {
  const files = tar([{ kind: 'file', path: 'words', content: json('true') }]);
  const layer = gzip(files);
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(files)] },
    history: [{ created_by: 'a layer' }],
  });
  const described = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: described(ociConfig, config),
    layers: [described(ociLayerZstd, layer)],
  };
  return { blobs: [layer, config], manifests: [{ bytes: json(manifest), mediaType: ociManifest }] };
}

describe.skipIf(requirePeers('docker-registry', 'dockerd', 'docker', 'unshare'))('Docker 20.10', () => {
  let registry: DockerRegistry;
  let proxy: RunningProxy;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushSample(registry.url, 'sample/index-zstd');
    await pushImage(registry.url, 'team/mislabelled', 'latest', mislabelled());
    proxy = await startProxy(registry.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await registry?.stop();
  });

  const architectureOf = (run: Docker, image: string) =>
    run('image', 'inspect', '--format', '{{.Architecture}}', image).then((text) => text.trim());

  it('pulls the image of another platform from a zstd index at a later try', async () => {
    const image = `127.0.0.1:${proxy.port}/sample/index-zstd:latest`;
    await withEngine([], async (run) => {
      const pull = () => run('pull', '--quiet', '--platform', 'linux/arm64', image);
      await expect(pull()).rejects.toThrow('no matching manifest for linux/arm64');
      await vi.waitFor(pull, { timeout: 10_000, interval: 500 });
      expect(await architectureOf(run, image)).toBe('arm64');
    });
  });

  it('pulls a gzip layer that is labelled zstd', async () => {
    const image = `127.0.0.1:${proxy.port}/team/mislabelled:latest`;
    await withEngine([], async (run) => {
      await run('pull', '--quiet', image);
      expect(await architectureOf(run, image)).toBe('amd64');
    });
  });
});
