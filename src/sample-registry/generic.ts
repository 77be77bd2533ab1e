import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import { json, type SampleContent, type SampleDescriptor } from './content.ts';
import { gzip } from './gzip.ts';
import { created, runConfig, type SampleImage } from './image.ts';
import { layerId } from './schema1.ts';

/** The indent of the examples in distribution proposals 62 and 993, in spaces. */
const indent = 4;

const labels = { createdAt: created, version: '1.0' };

/** A descriptor of proposal 62: the byte count is called `length`, and there are no labels. */
function descriptor62({ mediaType, size, digest }: SampleDescriptor): object {
  return { mediaType, length: size, digest };
}

function gzipLayers(content: SampleContent, image: SampleImage): SampleDescriptor[] {
  return image.layers.map((layer) => content.addBlob(mediaTypes.genericLayer, gzip(layer.tar)));
}

/** A manifest of proposal 62: gzip layers whose type does not name gzip, base first, and labels on the manifest. */
export function generic62(content: SampleContent, image: SampleImage): SampleDescriptor {
  return content.addManifest(mediaTypes.generic, generic62Bytes(content, image));
}

function generic62Bytes(content: SampleContent, image: SampleImage): Uint8Array {
  return json(
    {
      schemaVersion: 2,
      target: descriptor62(content.addBlob(mediaTypes.dockerConfig, image.config)),
      dependencies: gzipLayers(content, image).map(descriptor62),
      labels,
    },
    indent,
  );
}

/**
 * A manifest of proposal 993: `size`, and labels on the descriptors. The layers are plain tars listed top first, so
 * that only the diff_ids of the target give their order. A licence among them is not a layer.
 */
export function generic993(content: SampleContent, image: SampleImage): SampleDescriptor {
  const layers = image.layers.map((layer) => content.addBlob(mediaTypes.genericLayer, layer.tar));
  const licence = content.addBlob('text/plain', utf8('This sample may be used for any purpose.\n'));
  const manifest = {
    schemaVersion: 2,
    target: { ...content.addBlob(mediaTypes.dockerConfig, image.config), labels },
    dependencies: [{ ...licence, labels: { role: 'licence' } }, ...layers.toReversed()],
  };
  return content.addManifest(mediaTypes.generic, json(manifest, indent));
}

/**
 * A manifest of proposal 62 as of 2015: the target is the v1 image JSON of the top layer, without diff_ids and
 * history.
 */
export function genericWithV1Target(content: SampleContent, image: SampleImage): SampleDescriptor {
  const target = json({
    id: layerId(image.layers.length - 1),
    parent: layerId(image.layers.length - 2),
    created,
    container_config: { ...runConfig, Cmd: ['/bin/sh', '-c', '#(nop) CMD ["cat" "/hello.txt"]'] },
    docker_version: '1.9.1',
    config: runConfig,
    architecture: image.platform.architecture,
    os: image.platform.os,
  });
  const manifest = {
    schemaVersion: 2,
    target: descriptor62(content.addBlob(mediaTypes.dockerConfig, target)),
    dependencies: gzipLayers(content, image).map(descriptor62),
    labels,
  };
  return content.addManifest(mediaTypes.generic, json(manifest, indent));
}

/** A fat image of proposal 993: labels on each dependency name its platform. */
export function fatGenericWithLabels(
  content: SampleContent,
  images: readonly SampleImage[],
): SampleDescriptor {
  const target = content.addBlob(mediaTypes.genericFatTarget, json({ description: 'regshift sample' }));
  const dependencies = images.map((image) => ({
    ...generic62(content, image),
    // The proposal's example gives a platform's manifest the media type of a config.
    mediaType: mediaTypes.dockerConfig,
    labels: { os: image.platform.os, arch: image.platform.architecture },
  }));
  return content.addManifest(mediaTypes.generic, json({ schemaVersion: 2, target, dependencies }, indent));
}

/**
 * A fat image as sketched in the review of proposal 62: the data of the target is the platform table. Its manifests are
 * stored as blobs, as in a registry that does not know the generic manifest.
 */
export function fatGenericWithTable(
  content: SampleContent,
  images: readonly SampleImage[],
): SampleDescriptor {
  const entries = images.map((image) => ({
    image,
    manifest: content.addBlob(mediaTypes.dockerConfig, generic62Bytes(content, image)),
  }));
  const table = entries.map(({ image, manifest }) => ({
    os: image.platform.os,
    arch: image.platform.architecture,
    manifestDigest: manifest.digest,
  }));
  const manifest = {
    schemaVersion: 2,
    target: descriptor62(content.addBlob(mediaTypes.genericFatTarget, json(table, indent))),
    dependencies: entries.map((entry) => descriptor62(entry.manifest)),
  };
  return content.addManifest(mediaTypes.generic, json(manifest, indent));
}
