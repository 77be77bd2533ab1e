import { notAnImage } from './descriptor.ts';
import { ConversionError, type Dialect } from './errors.ts';
import { type Field, rootField } from './fields.ts';
import type { Descriptor, Image, Layer, Loss } from './model.ts';
import { RawEdit } from './raw-edit.ts';
import type { RawObject } from './raw-json.ts';
import { encodeText, quote } from './raw-text.ts';

/**
 * The writer that schema 2 and OCI manifests share: both are a config and layers, told apart by media types and
 * by the keys that they allow. A source of the same family keeps its layout, so that a digest never changes
 * without need; what comes from elsewhere is laid out as the family's reference programs do.
 */
export interface ManifestFamily {
  readonly dialect: Dialect;
  readonly manifestType: string;
  readonly configType: string;
  /** The family's type for a layer, or `undefined` where it has none. */
  readonly layerType: (layer: Layer) => string | undefined;
  /** Keys that the family's manifests and descriptors may have; others are dropped and reported. */
  readonly manifestKeys: ReadonlySet<string> | 'any';
  readonly descriptorKeys: ReadonlySet<string> | 'any';
  /** Indent of a manifest laid out anew; 0 is compact. */
  readonly indent: number;
}

export interface WrittenManifest {
  readonly bytes: Uint8Array;
  readonly losses: readonly Loss[];
}

/** @throws ConversionError INEXPRESSIBLE when a layer has no type in the family. */
export function writeDescriptorManifest(image: Image, family: ManifestFamily): WrittenManifest {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'A schema 1 image has no config; its layers must be read to make one',
      dialect: family.dialect,
    });
  }
  const config = image.target.descriptor;
  const kept = image.source.dialect === 'schema2' || image.source.dialect === 'oci';
  return kept ? relabel(image, config, family) : layOut(image, config, family);
}

/** Changes types and removes what the family does not allow; every other character stays. */
function relabel(image: Image, config: Descriptor, family: ManifestFamily): WrittenManifest {
  const losses: Loss[] = [];
  const edit = new RawEdit(image.source.document);
  const root = rootField(image.source.document) as Field<RawObject>;
  prune(edit, root, family.manifestKeys, losses);
  edit.set(root.value, 'mediaType', quote(family.manifestType), 'schemaVersion');
  const typed: [Descriptor, string][] = [
    [config, family.configType],
    ...image.dependencies.map((layer): [Descriptor, string] => [layer, typeIn(family, layer)]),
  ];
  for (const [descriptor, type] of typed) {
    if (!descriptor.field) continue;
    prune(edit, descriptor.field, family.descriptorKeys, losses);
    edit.set(descriptor.field.value, 'mediaType', quote(type), 'mediaType');
    edit.set(descriptor.field.value, 'digest', quote(descriptor.digest), 'digest');
    edit.set(descriptor.field.value, 'size', String(descriptor.size), 'size');
  }
  return { bytes: encodeText(edit.apply()), losses };
}

/** Removes the members that a family does not know, and reports each. */
export function prune(
  edit: RawEdit,
  object: Field<RawObject>,
  allowed: ReadonlySet<string> | 'any',
  losses: Loss[],
): void {
  if (allowed === 'any') return;
  const gone = (key: string) => !allowed.has(key);
  for (const { key } of object.value.members) {
    if (gone(key)) losses.push({ path: `${object.path}.${key}`, reason: 'has no place in this form' });
  }
  edit.removeMembers(object.value, gone);
}

function typeIn(family: ManifestFamily, layer: Layer): string {
  const type = layer.encrypted ? undefined : family.layerType(layer);
  if (type !== undefined) return type;
  if (layer.field && !layer.encrypted && layer.compression !== 'unknown') {
    notAnImage(layer.field, layer.mediaType, 'a layer type that this form has');
  }
  throw new ConversionError({
    code: 'INEXPRESSIBLE',
    message: layer.encrypted
      ? 'The image has an encrypted layer, which this form cannot carry'
      : 'The compression of a layer is not known, and this form must state it',
    dialect: family.dialect,
    path: layer.field?.path,
    found: `${layer.mediaType} ${layer.digest}`,
  });
}

function layOut(image: Image, config: Descriptor, family: ManifestFamily): WrittenManifest {
  const manifest = {
    schemaVersion: 2,
    mediaType: family.manifestType,
    config: plain(config, family.configType),
    layers: image.dependencies.map((layer) => plain(layer, typeIn(family, layer))),
  };
  const losses = [
    ...[...image.labels.keys()].map((key) => ({
      path: `$.labels.${key}`,
      reason: 'has no place in this form',
    })),
    ...image.attachments.map((each) => ({
      path: each.field?.path ?? '$.dependencies',
      reason: `is no layer (${each.mediaType})`,
    })),
  ];
  return { bytes: encodeText(JSON.stringify(manifest, null, family.indent || undefined)), losses };
}

function plain(descriptor: Descriptor, mediaType: string) {
  if (descriptor.size === undefined) {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The size of a layer is not known, and this form must state it',
      found: descriptor.digest,
    });
  }
  const urls = descriptor.urls.length > 0 ? { urls: descriptor.urls } : {};
  return { mediaType, size: descriptor.size, digest: descriptor.digest, ...urls };
}

/** The types of a family by compression, then by whether the layer is foreign. */
export type LayerTypes = Readonly<
  Record<'none' | 'gzip' | 'zstd', { readonly own: string; readonly foreign: string | undefined }>
>;

/** A `layerType` for a family from its table. */
export function layerTypeFrom(table: LayerTypes): ManifestFamily['layerType'] {
  return ({ compression, foreign }) =>
    compression === 'unknown' ? undefined : table[compression][foreign ? 'foreign' : 'own'];
}
