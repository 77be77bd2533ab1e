import { readAnnotations } from '../../annotations.ts';
import { optional, optionalString, required, requiredItems } from '../../json/fields.ts';
import { checkDescriptorCount } from '../../limits.ts';
import { bareMediaType, imageConfigTypes, mediaTypes } from '../../media-types.ts';
import type { Image, Source } from '../../model.ts';
import { manifestRoot } from '../../source.ts';
import { notAnImage, readDescriptor, readLayer } from './descriptor.ts';

/** Media types of image configs. The last two occur in real registries. */
const knownConfigTypes: readonly string[] = [...imageConfigTypes, mediaTypes.octetStream, 'text/plain'];

/**
 * Further types of image configs in schema 2. Registries that took the type of a blob for that of the config gave them
 * (moby issues 22378 and 30083), and Docker from 1.13 on takes them for images (moby, distribution/registry.go,
 * `defaultImageTypes`). In OCI manifests they are types of artifacts.
 */
const schema2ConfigTypes: readonly string[] = [mediaTypes.json, 'text/html', ''];

/**
 * Reads a schema 2 or OCI manifest: a config, and layers base first.
 * @throws ConversionError INVALID, AMBIGUOUS, LIMIT, or NOT_AN_IMAGE for an artifact.
 */
export function readImageManifest(source: Source): Image {
  const root = manifestRoot(source.document, source.dialect, 'image');
  // Go writes and reads an empty artifactType as none.
  const artifactType = optionalString(root, 'artifactType') || undefined;
  const configField = required(root, 'config');
  const config = readDescriptor(configField);
  if (!isImageConfigType(bareMediaType(config.mediaType), source)) {
    notAnImage(configField, `a config of type ${config.mediaType}`, "a container image's config");
  }
  if (artifactType !== undefined && artifactType !== config.mediaType) {
    notAnImage(required(root, 'artifactType'), `an artifact of type ${artifactType}`, 'no artifactType');
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

function isImageConfigType(type: string, { dialect }: Source): boolean {
  return knownConfigTypes.includes(type) || (dialect === 'schema2' && schema2ConfigTypes.includes(type));
}
