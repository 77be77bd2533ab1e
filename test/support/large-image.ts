import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { pushImage } from './push.ts';

export interface LargeLayer {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** Below a registry's address. */
  readonly path: string;
}

export interface LargeImage {
  /** As it is stored. */
  readonly layer: LargeLayer;
  /** As a client that cannot unpack zstd is given it; the same as `layer` where that is no zstd. */
  readonly plain: LargeLayer;
}

/**
 * Pushes an OCI image with one layer of so many bytes, as `latest`. No client unpacks it: the layer is no tar.
 * @param compression `none` is random bytes, and with `zstd` half of what is inside is random.
 */
export async function pushLargeImage(
  registryUrl: string,
  repository: string,
  size: number,
  compression: 'none' | 'zstd' = 'none',
): Promise<LargeImage> {
  const inside = new Uint8Array(size);
  inside.set(randomBytes(compression === 'zstd' ? size / 2 : size));
  const stored = compression === 'zstd' ? new Uint8Array(zstdCompressSync(inside)) : inside;
  const layerOf = (bytes: Uint8Array): LargeLayer => {
    const digest = digestOf(bytes);
    return { bytes, digest, path: `/v2/${repository}/blobs/${digest}` };
  };
  const [layer, plain] = [layerOf(stored), layerOf(inside)];
  const rootfs = { type: 'layers', diff_ids: [plain.digest] };
  const config = json({ os: 'linux', architecture: 'amd64', config: {}, rootfs, history: [{}] });
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const layerType = compression === 'zstd' ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer;
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: [descriptor(layerType, stored)],
  });
  await pushImage(registryUrl, repository, 'latest', {
    blobs: [config, stored],
    manifests: [{ bytes: manifest, mediaType: mediaTypes.ociManifest }],
  });
  return { layer, plain };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
