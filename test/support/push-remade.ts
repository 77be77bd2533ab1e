import { gunzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { pushImage } from './push.ts';

const { dockerConfig, genericLayer, ociIndex, ociLayerZstd, ociManifest } = mediaTypes;

/** An image that a registry stores as OCI. */
interface StoredImage {
  readonly manifest: object;
  readonly config: Uint8Array;
  /** The gzip layers, base first. */
  readonly layers: readonly Uint8Array[];
}

/**
 * Pushes an image again with zstd layers. (skopeo 1.9 prefers to mount the registry's own layers.)
 * @param from a repository that stores the image as OCI under `latest`; `to` gets it the same way.
 */
export async function pushWithZstdLayers(registryUrl: string, from: string, to: string): Promise<void> {
  const { manifest, config, layers } = await storedImage(registryUrl, from);
  const zstd = layers.map((layer) => new Uint8Array(zstdCompressSync(gunzipSync(layer))));
  const bytes = json({ ...manifest, layers: zstd.map((layer) => descriptor(ociLayerZstd, layer)) });
  await pushImage(registryUrl, to, 'latest', {
    blobs: [config, ...zstd],
    manifests: [{ bytes, mediaType: ociManifest }],
  });
}

/** Pushes an image again as a generic manifest of proposal 993, under the one media type that docker-registry takes. */
export async function pushAsGeneric(registryUrl: string, from: string, to: string): Promise<void> {
  const { config, layers } = await storedImage(registryUrl, from);
  const bytes = json({
    schemaVersion: 2,
    target: descriptor(dockerConfig, config),
    dependencies: layers.map((layer) => descriptor(genericLayer, layer)),
  });
  await pushImage(registryUrl, to, 'latest', {
    blobs: [config, ...layers],
    manifests: [{ bytes, mediaType: ociIndex }],
  });
}

async function storedImage(registryUrl: string, repository: string): Promise<StoredImage> {
  const get = async (path: string) => {
    const headers = { Accept: ociManifest };
    const response = await fetch(`${registryUrl}/v2/${repository}/${path}`, { headers });
    if (!response.ok) throw new Error(`${path} of ${repository}: HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const manifest: { config: { digest: string }; layers: { digest: string }[] } = JSON.parse(
    new TextDecoder().decode(await get('manifests/latest')),
  );
  const config = await get(`blobs/${manifest.config.digest}`);
  const layers = await Promise.all(manifest.layers.map(({ digest }) => get(`blobs/${digest}`)));
  return { manifest, config, layers };
}

function descriptor(mediaType: string, bytes: Uint8Array): object {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
