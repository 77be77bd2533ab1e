import { annotationsOf } from '../../annotations.ts';
import { ConversionError, type Dialect } from '../../errors.ts';
import { RawEdit } from '../../json/edit.ts';
import { asObject, optional, rootField } from '../../json/fields.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { type Json, record, writeJson } from '../../json/write.ts';
import { goes } from '../../losses.ts';
import { bareMediaType, mediaTypes } from '../../media-types.ts';
import type { Descriptor, Image, LossKind } from '../../model.ts';
import type { LayerTypeOf } from './layer-type.ts';
import { relabelDescriptor } from './relabel.ts';

/**
 * The writer that schema 2 and OCI manifests share: both are a config and layers, told apart by media types and
 * by the keys that they allow. A source of the same kind keeps its layout, so that a digest never changes
 * without need; what comes from elsewhere is laid out as the family's reference programs do.
 */
export interface ManifestFamily {
  readonly dialect: Dialect;
  readonly manifestType: string;
  readonly configType: string;
  readonly layerType: LayerTypeOf;
  /** Whether it has annotations. */
  readonly annotated: boolean;
  /** Whether a manifest without `mediaType` gets one even where nothing else changes. */
  readonly needsMediaType: boolean;
  /** Indent of a manifest laid out anew; 0 is compact. */
  readonly indent: number;
}

/**
 * @param lost the kinds of members that go.
 * @throws ConversionError INEXPRESSIBLE when a layer has no type in the family, or no size.
 */
export function writeDescriptorManifest(
  image: Image,
  family: ManifestFamily,
  lost: ReadonlySet<LossKind>,
): Uint8Array {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'A schema 1 image has no config; its layers must be read to make one',
      dialect: family.dialect,
    });
  }
  const config = image.target.descriptor;
  const kept = image.source.dialect === 'schema2' || image.source.dialect === 'oci';
  return encodeText(kept ? relabel(image, config, family, lost) : layOut(image, config, family));
}

/** Changes types and removes what the family does not allow; every other character stays. */
function relabel(
  image: Image,
  config: Descriptor,
  family: ManifestFamily,
  lost: ReadonlySet<LossKind>,
): string {
  const { document, dialect } = image.source;
  const edit = new RawEdit(document);
  const root = asObject(rootField(document));
  edit.removeMembers(root.value, (key) => goes(key, dialect, lost));
  const same = dialect === family.dialect;
  if (!same || family.needsMediaType || optional(root, 'mediaType')) {
    edit.setString(root.value, 'mediaType', family.manifestType, 'schemaVersion');
  }
  const typed: [Descriptor, string][] = [
    [config, configTypeIn(family, config, same)],
    ...image.dependencies.map((layer): [Descriptor, string] => [
      layer,
      family.layerType(layer, family.dialect),
    ]),
  ];
  for (const [{ field, digest, size }, mediaType] of typed) {
    if (field) relabelDescriptor(edit, field, { mediaType, digest, size, dialect, lost });
  }
  return edit.apply();
}

/** Odd types occur in the wild and are read everywhere; in a manifest of the same dialect they are left alone. */
function configTypeIn({ configType }: ManifestFamily, { mediaType }: Descriptor, same: boolean): string {
  const bare = bareMediaType(mediaType);
  return same && bare !== mediaTypes.dockerConfig && bare !== mediaTypes.ociConfig ? mediaType : configType;
}

function layOut(image: Image, config: Descriptor, family: ManifestFamily): string {
  const { annotated, dialect, indent } = family;
  const manifest = record({
    schemaVersion: 2,
    mediaType: family.manifestType,
    config: plain(config, family.configType, annotated),
    layers: image.dependencies.map((layer) => plain(layer, family.layerType(layer, dialect), annotated)),
    annotations: annotated ? annotationsOf(image.labels) : undefined,
  });
  return writeJson(manifest, indent);
}

function plain({ digest, size, urls, labels }: Descriptor, mediaType: string, annotated: boolean): Json {
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
