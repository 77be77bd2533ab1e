import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaTypes } from '../../converters/media-types.ts';
import { startDockerRegistry } from './docker-registry.ts';
import type { FileTree } from './file-tree.ts';
import { pushIndex } from './push-index.ts';
import { pushAsGeneric, pushWithZstdLayers } from './push-remade.ts';
import { buildImage, pushImageAs } from './real-image.ts';

/** docker-registry with images that umoci built and skopeo pushed. */
export interface RealRegistry {
  readonly url: string;
  /** The files of `latest` of every repository, for linux/amd64. */
  readonly files: FileTree;
  /** The files of the two tags of `real/tags`, which are different images. */
  readonly tagged: Readonly<Record<string, FileTree>>;
  stop(): Promise<void>;
}

/**
 * Starts a registry with `real/oci`, `real/zstd`, `real/schema2` and `real/generic`; `real/index` and `real/list` for
 * two platforms; and `real/tags`.
 */
export async function startRealRegistry(): Promise<RealRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-images-'));
  const registry = await startDockerRegistry();
  const stop = async () => {
    await registry.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { ...(await fill(registry.url, directory)), url: registry.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fill(url: string, directory: string): Promise<Pick<RealRegistry, 'files' | 'tagged'>> {
  const host = new URL(url).host;
  const amd64 = await buildImage(join(directory, 'amd64'), 'amd64');
  const arm64 = await buildImage(join(directory, 'arm64'), 'arm64');
  const second = await buildImage(join(directory, 'second'), 'amd64');
  await pushImageAs(amd64, 'oci', `${host}/real/oci:latest`);
  await pushImageAs(amd64, 'v2s2', `${host}/real/schema2:latest`);
  await pushWithZstdLayers(url, 'real/oci', 'real/zstd');
  await pushAsGeneric(url, 'real/oci', 'real/generic');
  await pushImageAs(amd64, 'oci', `${host}/real/tags:first`);
  await pushImageAs(second, 'v2s2', `${host}/real/tags:second`);
  for (const [repository, format, type] of [
    ['real/index', 'oci', mediaTypes.ociIndex],
    ['real/list', 'v2s2', mediaTypes.dockerList],
  ] as const) {
    // The image for amd64 is not the first, so that clients must select it.
    await pushImageAs(arm64, format, `${host}/${repository}:for-arm64`);
    await pushImageAs(amd64, format, `${host}/${repository}:for-amd64`);
    await pushIndex(url, repository, 'latest', { 'for-arm64': 'arm64', 'for-amd64': 'amd64' }, type);
  }
  return { files: amd64.files, tagged: { first: amd64.files, second: second.files } };
}
