import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';

const { dockerConfig, dockerLayerGzip, schema2 } = mediaTypes;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A schema 2 image of 20 layers and 40 history entries, which docker-registry 2.8.2 converts to schema 1 too. */
export function image() {
  const layers = Array.from({ length: 20 }, (_, n) => json(`layer ${n}`));
  const config = json({
    os: 'linux',
    architecture: 'amd64',
    created: '2024-05-06T07:08:09.123456789Z',
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['run'] },
    history: Array.from({ length: 40 }, (_, n) => ({
      created: '2024-05-06T07:08:09.123456789Z',
      created_by: `/bin/sh -c apt-get update && apt-get install -y package-${n} && rm -rf /var/lib/apt/lists/*`,
      ...(n % 2 ? { empty_layer: true } : {}),
    })),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  });
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: schema2,
    config: descriptor(dockerConfig, config),
    layers: layers.map((layer) => descriptor(dockerLayerGzip, layer)),
  });
  return { blobs: [config, ...layers], manifests: [{ bytes: manifest, mediaType: schema2 }] };
}
