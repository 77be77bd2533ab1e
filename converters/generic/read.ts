import { layerOf, readDescriptor, readLabels } from '../descriptor.ts';
import { ConversionError } from '../errors.ts';
import { asCount, asItems, asObject, type Field, optional, refuse, required, rootField } from '../fields.ts';
import { limits } from '../limits.ts';
import { mediaTypes } from '../media-types.ts';
import type { Descriptor, Image, Index, IndexEntry, Labels, Layer } from '../model.ts';
import type { Platform } from '../platform.ts';
import { compact, type RawDocument, type RawObject } from '../raw-json.ts';
import { ambiguous, sourceOf } from '../source.ts';

/**
 * Reads the generic manifest of distribution proposals 62 (`length`, labels on the manifest) and 993 (`size`,
 * labels on the descriptors). A target of the fat type makes it an index.
 * @throws ConversionError INVALID, AMBIGUOUS, LIMIT or NOT_AN_IMAGE.
 */
export function readGeneric(bytes: Uint8Array, document: RawDocument): Image | Index {
  const source = sourceOf('generic', mediaTypes.generic, bytes, document);
  const root = asObject(rootField(document, 'generic'));
  for (const key of ['config', 'layers', 'manifests', 'fsLayers']) {
    if (optional(root, key)) ambiguous('generic', key);
  }
  const version = required(root, 'schemaVersion');
  if (asCount(version) !== 2) refuse(version, 'The schema version is not that of this dialect', '2');
  const target = readLabelled(required(root, 'target'));
  const list = optional(root, 'dependencies');
  const dependencies = list ? asItems(list).map(readLabelled) : [];
  checkCount(dependencies.length);
  const common = { source, labels: rawLabels(root), subject: undefined };
  if (target.mediaType === mediaTypes.genericFatTarget) {
    return { kind: 'index', ...common, platformTable: target, dependencies: dependencies.map(entryOf) };
  }
  if (target.mediaType !== mediaTypes.dockerConfig && target.mediaType !== mediaTypes.ociConfig) {
    throw new ConversionError({
      code: 'NOT_AN_IMAGE',
      message: 'The target of the generic manifest is no container image',
      dialect: 'generic',
      path: '$.target.mediaType',
      found: target.mediaType,
      expected: `${mediaTypes.dockerConfig} or ${mediaTypes.genericFatTarget}`,
    });
  }
  // A dependency that is not a layer (a licence, a signature, a manifest) must never become one.
  const sorted = dependencies.map((each): Layer | Descriptor => layerOf(each) ?? each);
  return {
    kind: 'image',
    ...common,
    target: { kind: 'config', descriptor: target },
    dependencies: sorted.filter(isLayer),
    attachments: sorted.filter((each) => !isLayer(each)),
  };
}

function isLayer(each: Layer | Descriptor): each is Layer {
  return 'compression' in each;
}

function checkCount(count: number): void {
  if (count <= limits.indexNodes) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: 'The generic manifest has too many dependencies',
    dialect: 'generic',
    path: '$.dependencies',
    found: String(count),
    expected: `at most ${limits.indexNodes}`,
  });
}

/** A descriptor of a generic manifest: its `labels` (993) are what annotations are elsewhere. */
function readLabelled(field: Field): Descriptor {
  const descriptor = readDescriptor(field);
  return { ...descriptor, labels: new Map([...descriptor.labels, ...rawLabels(asObject(field))]) };
}

/** Labels may hold any JSON: strings are taken as they are, all else as its JSON text. */
function rawLabels(object: Field<RawObject>): Labels {
  const field = optional(object, 'labels');
  if (!field) return new Map();
  const labels = asObject(field);
  if (labels.value.members.every(({ value }) => value.kind === 'string')) return readLabels(object, 'labels');
  const { document } = field;
  return new Map(
    labels.value.members.map(({ key, value }) => [
      key,
      value.kind === 'string' ? (JSON.parse(compact(document, value)) as string) : compact(document, value),
    ]),
  );
}

function entryOf(descriptor: Descriptor): IndexEntry {
  return {
    ...descriptor,
    platform: platformOf(descriptor.labels),
    artifactType: undefined,
    attestation: false,
  };
}

/** 62 says `os` and `arch`; the longer names occur too. */
function platformOf(labels: Labels): Platform | undefined {
  const os = labels.get('os');
  const architecture = labels.get('arch') ?? labels.get('architecture');
  if (!os || !architecture) return undefined;
  return { os, architecture, variant: labels.get('variant') };
}
