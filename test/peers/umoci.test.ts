import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rulesOf } from '../support/docs/recipes.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers, runProgram } from '../support/programs.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { skopeoCopy } from '../support/skopeo-copy.ts';

const images = ['real/oci', 'real/schema2', 'real/index', 'real/list'];

describe.skipIf(requirePeers('docker-registry', 'skopeo', 'umoci'))('umoci 0.4, with skopeo', () => {
  let home: string;
  let registry: RealRegistry;
  let proxy: RunningProxy;
  let ruled: RunningProxy;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'regshift-umoci-'));
    registry = await startRealRegistry();
    proxy = await startProxy(registry.url);
    ruled = await startProxy(registry.url, { REGSHIFT_CLIENTS: JSON.stringify(await rulesOf('umoci')) });
  });
  afterAll(async () => {
    await ruled?.stop();
    await proxy?.stop();
    await registry?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** Copies without a change of compression, and unpacks. */
  async function unpacked(host: string, image: string) {
    const directory = await mkdtemp(join(home, 'unpacked-'));
    const platform = ['--override-arch', 'amd64'];
    await skopeoCopy(directory, `docker://${host}/${image}:latest`, 'oci:layout:copied', ...platform);
    await runProgram('umoci', ['unpack', '--rootless', '--image', 'layout:copied', 'bundle'], directory);
    return readTree(join(directory, 'bundle/rootfs'));
  }
  const straight = (image: string) => unpacked(new URL(registry.url).host, image);
  const through = (image: string) => unpacked(`127.0.0.1:${proxy.port}`, image);
  const withRule = (image: string) => unpacked(`127.0.0.1:${ruled.port}`, image);

  it.each(images)('unpacks %s: straight, through, and with the rule of the recipe', async (image) => {
    expect(await straight(image)).toEqual(registry.files);
    expect(await through(image)).toEqual(registry.files);
    expect(await withRule(image)).toEqual(registry.files);
  });

  it('unpacks zstd layers with the rule alone', async () => {
    const message = 'blob is not correct mediatype: application/vnd.oci.image.layer.v1.tar+zstd';
    await expect(straight('real/zstd')).rejects.toThrow(message);
    await expect(through('real/zstd')).rejects.toThrow(message);
    expect(await withRule('real/zstd')).toEqual(registry.files);
  });

  it('unpacks a generic manifest, which it cannot read from the registry', async () => {
    await expect(straight('real/generic')).rejects.toThrow();
    expect(await through('real/generic')).toEqual(registry.files);
  });
});
