import { readAnnotations, readLabels } from '../../annotations.ts';
import type { Bytes } from '../../bytes.ts';
import { ConversionError } from '../../errors.ts';
import type { RawDocument, RawObject } from '../../json/document.ts';
import { asItems, type Field, optional, required } from '../../json/fields.ts';
import { checkDescriptorCount } from '../../limits.ts';
import { imageConfigTypes, mediaTypes } from '../../media-types.ts';
import type { Descriptor, Image, Index, Layer } from '../../model.ts';
import { manifestRoot, sourceOf } from '../../source.ts';
import { layerOf, readGenericDescriptor } from '../oci-family/descriptor.ts';
import { readEntries, readFatEntry } from '../oci-family/index-entry.ts';

/**
 * Reads a generic manifest of distribution proposal 62 (`length`, labels on the manifest) or 993 (`size`, labels on the
 * descriptors). A manifest whose target has the fat type is an index.
 * @throws ConversionError INVALID, AMBIGUOUS, LIMIT or NOT_AN_IMAGE.
 */
export function readGeneric(bytes: Bytes, document: RawDocument): Image | Index {
  const root = manifestRoot(document, 'generic', 'generic');
  const target = readGenericDescriptor(required(root, 'target'));
  const list = optional(root, 'dependencies');
  const items = list ? asItems(list) : [];
  checkDescriptorCount(items.length, '$.dependencies', 'generic');
  const source = sourceOf('generic', mediaTypes.generic, bytes, document);
  const labels = new Map([...readAnnotations(root), ...readLabels(root)]);
  const common = { source, labels, subject: undefined };
  if (target.mediaType === mediaTypes.genericFatTarget) {
    return { kind: 'index', ...common, platformTable: target, ...readEntries(items, readFatEntry) };
  }
  checkTarget(root, target);
  // A dependency that is not a layer (a licence, a signature, a manifest) must never become a layer.
  const sorted = items
    .map((item) => readGenericDescriptor(item))
    .map((each): Layer | Descriptor => layerOf(each) ?? each);
  return {
    kind: 'image',
    ...common,
    target: { kind: 'config', descriptor: target },
    dependencies: sorted.filter(isLayer),
    attachments: sorted.filter((each) => !isLayer(each)),
  };
}

function checkTarget({ path }: Field<RawObject>, { mediaType }: Descriptor): void {
  if (imageConfigTypes.includes(mediaType)) return;
  throw new ConversionError({
    code: 'NOT_AN_IMAGE',
    message: 'The target of the generic manifest is no container image',
    dialect: 'generic',
    path: `${path}.target.mediaType`,
    found: mediaType,
    expected: `${mediaTypes.dockerConfig} or ${mediaTypes.genericFatTarget}`,
  });
}

function isLayer(each: Layer | Descriptor): each is Layer {
  return 'compression' in each;
}
