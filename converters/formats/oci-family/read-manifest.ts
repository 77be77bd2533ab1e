import { readAnnotations } from '../../annotations.ts';
import { asString, optional, required, requiredItems } from '../../json/fields.ts';
import { checkDescriptorCount } from '../../limits.ts';
import { bareMediaType, mediaTypes } from '../../media-types.ts';
import type { Image, Source } from '../../model.ts';
import { manifestRoot } from '../../source.ts';
import { notAnImage, readDescriptor, readLayer } from './descriptor.ts';

/** Media types of image configs. The last two occur in real registries. */
const imageConfigTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  mediaTypes.octetStream,
  'text/plain',
]);

/**
 * Reads a schema 2 or OCI manifest: a config, and layers base first.
 * @throws ConversionError INVALID, AMBIGUOUS, LIMIT, or NOT_AN_IMAGE for an artifact.
 */
export function readImageManifest(source: Source): Image {
  const root = manifestRoot(source.document, source.dialect, 'image');
  const artifactType = optional(root, 'artifactType');
  const configField = required(root, 'config');
  const config = readDescriptor(configField);
  if (!imageConfigTypes.has(bareMediaType(config.mediaType))) {
    notAnImage(configField, `a config of type ${config.mediaType}`, "a container image's config");
  }
  if (artifactType && asString(artifactType) !== config.mediaType) {
    notAnImage(artifactType, `an artifact of type ${asString(artifactType)}`, 'no artifactType');
  }
  const layers = requiredItems(root, 'layers');
  checkDescriptorCount(layers.length, '$.layers', source.dialect);
  const subject = optional(root, 'subject');
  return {
    kind: 'image',
    source,
    target: { kind: 'config', descriptor: config },
    dependencies: layers.map(readLayer),
    attachments: [],
    labels: readAnnotations(root),
    subject: subject && readDescriptor(subject),
  };
}
