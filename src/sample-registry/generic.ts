import { mediaTypes } from '../../converters/media-types.ts';
import { utf8 } from './bytes.ts';
import { json, type SampleContent, type SampleDescriptor } from './content.ts';
import { gzip } from './gzip.ts';
import { created, runConfig, type SampleImage } from './image.ts';
import { layerId } from './schema1.ts';

/** The examples of distribution proposals 62 and 993 indent by four spaces. */
const indent = 4;

const labels = { createdAt: created, version: '1.0' };

/** Proposal 62's descriptor: the byte count is called `length`, and labels have no place in it. */
function descriptor62({ mediaType, size, digest }: SampleDescriptor): object {
  return { mediaType, length: size, digest };
}

function gzipLayers(content: SampleContent, image: SampleImage): SampleDescriptor[] {
  return image.layers.map((layer) => content.addBlob(mediaTypes.genericLayer, gzip(layer.tar)));
}

/** Proposal 62: gzip layers whose type does not say so, base first; labels on the manifest. */
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
 * Proposal 993: `size`, and labels on the descriptors. The layers are plain tars listed top first, so only the
 * target's diff_ids order them, and a licence stands among them that is no layer.
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

/** Proposal 62 as of 2015: the target is the top layer's v1 image JSON, with no diff_ids and no history. */
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
 * A fat image as drawn in the review of proposal 62: the target's data is the platform table. Its manifests are
 * kept as blobs, as in a registry that does not know the generic manifest.
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
