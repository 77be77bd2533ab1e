import { annotationsOf } from '../../annotations.ts';
import type { Bytes } from '../../bytes.ts';
import { ConversionError } from '../../errors.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { type Json, record, writeJson } from '../../json/write.ts';
import { bareMediaType, imageConfigTypes } from '../../media-types.ts';
import type { Descriptor, Image, LossKind } from '../../model.ts';
import type { LayerTypeOf } from './layer-type.ts';
import { type DialectRules, hasFamilyLayout, relabelDescriptor, relabelRoot } from './relabel.ts';

/** The differences between schema 2 and OCI manifests. Both have a config and layers. */
export interface ManifestDialect extends DialectRules {
  readonly configType: string;
  readonly layerType: LayerTypeOf;
}

/**
 * Writes a schema 2 or OCI manifest. An image stored as schema 2 or OCI keeps its layout, so that its digest changes
 * only if necessary. Other images get the layout of the dialect's reference programs.
 * @param lost the kinds of content that the dialect cannot hold.
 * @throws ConversionError INEXPRESSIBLE when a layer has no type in the dialect, or no known size.
 */
export function writeDescriptorManifest(
  image: Image,
  rules: ManifestDialect,
  lost: ReadonlySet<LossKind>,
): Bytes {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'A schema 1 image has no config; its layers must be read to make one',
      dialect: rules.dialect,
    });
  }
  const config = image.target.descriptor;
  const keepsLayout = hasFamilyLayout(image.source.dialect);
  return encodeText(keepsLayout ? relabel(image, config, rules, lost) : layOut(image, config, rules));
}

function relabel(
  image: Image,
  config: Descriptor,
  rules: ManifestDialect,
  lost: ReadonlySet<LossKind>,
): string {
  const { dialect } = image.source;
  const edit = relabelRoot(image.source, rules, lost);
  const same = dialect === rules.dialect;
  const typed: [Descriptor, string][] = [
    [config, configTypeIn(rules, config, same)],
    ...image.dependencies.map((layer): [Descriptor, string] => [
      layer,
      rules.layerType(layer, rules.dialect),
    ]),
  ];
  for (const [{ field, digest, size }, mediaType] of typed) {
    if (field) relabelDescriptor(edit, field, { mediaType, digest, size, dialect, lost });
  }
  return edit.apply();
}

/** The media type of the config. Unusual types, which every client accepts, stay in a manifest of the same dialect. */
function configTypeIn({ configType }: ManifestDialect, { mediaType }: Descriptor, same: boolean): string {
  return same && !imageConfigTypes.includes(bareMediaType(mediaType)) ? mediaType : configType;
}

function layOut(image: Image, config: Descriptor, rules: ManifestDialect): string {
  const { annotated, dialect, indent } = rules;
  const manifest = record({
    schemaVersion: 2,
    mediaType: rules.mediaType,
    config: descriptorJson(config, rules.configType, annotated),
    layers: image.dependencies.map((layer) =>
      descriptorJson(layer, rules.layerType(layer, dialect), annotated),
    ),
    annotations: annotated ? annotationsOf(image.labels) : undefined,
  });
  return writeJson(manifest, indent);
}

function descriptorJson(
  { digest, size, urls, labels }: Descriptor,
  mediaType: string,
  annotated: boolean,
): Json {
  if (size === undefined) {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The size of a layer is not known, and this form must state it',
      found: digest,
    });
  }
  return record({
    mediaType,
    size,
    digest,
    urls: urls.length > 0 ? urls : undefined,
    annotations: annotated ? annotationsOf(labels) : undefined,
  });
}
