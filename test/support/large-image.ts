import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { pushImage } from './push.ts';

export interface LargeLayer {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** The path below a registry's address. */
  readonly path: string;
}

export interface LargeImage {
  /** The stored layer. */
  readonly layer: LargeLayer;
  /** The layer for a client that cannot decompress zstd; the same as `layer` without zstd. */
  readonly plain: LargeLayer;
}

/**
 * Pushes an OCI image with one layer of a given size, as `latest`. The layer is no tar, so no client can extract it.
 * @param compression `none` is random bytes; with `zstd` half of the content is random.
 */
export async function pushLargeImage(
  registryUrl: string,
  repository: string,
  size: number,
  compression: 'none' | 'zstd' = 'none',
): Promise<LargeImage> {
  const inside = new Uint8Array(size);
  inside.set(randomBytes(compression === 'zstd' ? size / 2 : size));
  return pushLayerImage(registryUrl, repository, inside, compression);
}

/**
 * Pushes an OCI image with one layer, as `latest`.
 * @param inside the layer without compression.
 */
export async function pushLayerImage(
  registryUrl: string,
  repository: string,
  inside: Uint8Array,
  compression: 'none' | 'zstd',
): Promise<LargeImage> {
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
