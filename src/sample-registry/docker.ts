import { mediaTypes } from '../../converters/media-types.ts';
import { json, type SampleContent, type SampleDescriptor } from './content.ts';
import { gzip } from './gzip.ts';
import type { SampleImage, SamplePlatform } from './image.ts';

/** The indent of Docker's own writer, in spaces. */
const indent = 3;

/** A schema 2 manifest with gzip layers, or with plain tar layers. */
export function schema2(
  content: SampleContent,
  image: SampleImage,
  compression: 'gzip' | 'none' = 'gzip',
): SampleDescriptor {
  const layers = image.layers.map((layer) =>
    compression === 'gzip'
      ? content.addBlob(mediaTypes.dockerLayerGzip, gzip(layer.tar))
      : content.addBlob(mediaTypes.dockerLayer, layer.tar),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.schema2,
    config: content.addBlob(mediaTypes.dockerConfig, image.config),
    layers,
  };
  return content.addManifest(mediaTypes.schema2, json(manifest, indent));
}

/** An entry of an index: an image and its platform. */
export interface PlatformEntry {
  readonly manifest: SampleDescriptor;
  readonly platform: SamplePlatform;
}

export function dockerList(content: SampleContent, entries: readonly PlatformEntry[]): SampleDescriptor {
  const list = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerList,
    manifests: entries.map(({ manifest, platform }) => ({ ...manifest, platform: dockerPlatform(platform) })),
  };
  return content.addManifest(mediaTypes.dockerList, json(list, indent));
}

/** The key order of distribution's PlatformSpec. */
function dockerPlatform({ architecture, os, variant }: SamplePlatform): object {
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}
