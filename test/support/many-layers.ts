import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import type { PushContent } from './push.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => utf8(JSON.stringify(value));

/** An OCI image with this many plain layers, each with a file of its own. */
export function imageOfLayers(count: number): PushContent {
  const layers = Array.from({ length: count }, (_, n) =>
    tar([{ kind: 'file', path: `file-${n}`, content: utf8(`layer ${n}`) }]),
  );
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) };
  const config = json({ os: 'linux', architecture: 'amd64', config: { Cmd: ['/file-0'] }, rootfs });
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    ...{ mediaType, size: bytes.length },
    digest: digestOf(bytes),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: layers.map((layer) => descriptor(mediaTypes.ociLayer, layer)),
  });
  return {
    blobs: [config, ...layers],
    manifests: [{ bytes: manifest, mediaType: mediaTypes.ociManifest }],
  };
}
