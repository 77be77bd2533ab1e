import type { Dialect } from './errors.ts';
import type { RawObject, RawValue } from './json/document.ts';
import { asObject, type Field, optional, rootField } from './json/fields.ts';
import type { Descriptor, Image, Index, IndexEntry, Loss, LossKind } from './model.ts';

/** Members that make a document what it is: every form has its own way to say them. */
const structural: ReadonlySet<string> = new Set([
  ...['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'target', 'dependencies', 'signatures'],
  ...['digest', 'size', 'length', 'platform'],
]);

/** What the other members of each dialect are; those that it does not define are of no known kind. */
const defined: Readonly<Record<Dialect, Readonly<Record<string, LossKind>>>> = {
  schema1: {},
  v1: {},
  schema2: { urls: 'urls' },
  oci: {
    annotations: 'annotations',
    subject: 'subject',
    artifactType: 'artifactType',
    data: 'data',
    urls: 'urls',
  },
  generic: { labels: 'annotations', annotations: 'annotations', urls: 'urls' },
};

/** What each kind is, for the README. */
export const lossKinds: Readonly<Record<LossKind, string>> = {
  annotations: 'annotations of OCI, labels of generic manifests',
  subject: 'the manifest that an OCI manifest or index is about',
  artifactType: 'OCI’s `artifactType`, of images that name their config there',
  data: 'content that OCI embeds in a descriptor',
  urls: 'other places where a blob can be downloaded',
  attachments: 'dependencies of a generic manifest that are no layers',
  history: 'history entries without a layer, oldest first, where there are more than 124',
  signatures: 'the signatures of schema 1, which cover that document alone',
  missing: 'entries of an index that could not be had',
  entries:
    'entries of an index that are no images, or cannot be converted; indexes inside it that are opened',
  platform: 'details of an entry’s platform beyond OCI’s five',
  unknown: 'members that no dialect defines',
};

const reasons: Readonly<Record<LossKind, string>> = {
  annotations: 'has no place in this form',
  subject: 'has no place in this form, so nothing refers to the subject any more',
  artifactType: 'has no place in this form',
  data: 'has no place in this form; the content can still be fetched',
  urls: 'has no place in this form; the registry must hold the content',
  attachments: 'is no layer, and this form lists layers alone',
  history: 'is an entry without a layer, and there are more entries than old clients can run',
  signatures: 'cover the schema 1 document alone',
  missing: 'is left out',
  entries: 'is left out',
  platform: 'has no place in this form',
  unknown: 'is not known to any dialect, and has no place in this form',
};

/** @param detail in place of the usual reason. */
export function loss(kind: LossKind, path: string, detail?: string): Loss {
  return { kind, path, reason: detail ?? reasons[kind] };
}

/** Whether a member goes, by its key. */
export function goes(key: string, dialect: Dialect, lost: ReadonlySet<LossKind>): boolean {
  return !structural.has(key) && lost.has(kindOf(key, dialect));
}

function kindOf(key: string, dialect: Dialect): LossKind {
  const kinds = defined[dialect];
  return Object.hasOwn(kinds, key) ? (kinds[key] ?? 'unknown') : 'unknown';
}

/** What an image has that a form cannot carry. @param lost the kinds that go (see `convert.ts`). */
export function lossesOfImage(image: Image, lost: ReadonlySet<LossKind>): Loss[] {
  const { source, target, dependencies, attachments } = image;
  if (target.kind === 'v1') {
    const signed = target.signatures.length > 0 && lost.has('signatures');
    return signed ? [loss('signatures', '$.signatures')] : [];
  }
  const members = [target.descriptor, ...dependencies].flatMap((each) =>
    membersOf(each, source.dialect, lost),
  );
  const gone = lost.has('attachments') ? attachments.map(attachmentLoss) : [];
  return [...rootMembers(image, lost), ...members, ...gone];
}

function attachmentLoss({ field, mediaType, digest }: Descriptor): Loss {
  return loss('attachments', field?.path ?? digest, `${reasons.attachments} (${mediaType})`);
}

/** What an index, and those of its entries that stay, have that a form cannot carry. */
export function lossesOfIndex(
  index: Index,
  entries: readonly IndexEntry[],
  lost: ReadonlySet<LossKind>,
): Loss[] {
  return [
    ...rootMembers(index, lost),
    ...entries.flatMap((entry) => membersOf(entry, index.source.dialect, lost)),
    ...(lost.has('platform') ? entries.flatMap(platformDetails) : []),
  ];
}

/** What the neutral model's platform has a place for. */
const modelled: ReadonlySet<string> = new Set(['os', 'architecture', 'variant', 'os.version', 'os.features']);

/** Like the processor features of a manifest list. */
function platformDetails({ field }: IndexEntry): Loss[] {
  const platform = field && optional(field, 'platform');
  if (platform?.value.kind !== 'object') return [];
  return platform.value.members.flatMap(({ key, value }) =>
    modelled.has(key) || isEmpty(value) ? [] : [loss('platform', `${platform.path}.${key}`)],
  );
}

function rootMembers({ source }: Image | Index, lost: ReadonlySet<LossKind>): Loss[] {
  return lostMembers(asObject(rootField(source.document)), source.dialect, lost);
}

function membersOf({ field }: Descriptor, dialect: Dialect, lost: ReadonlySet<LossKind>): Loss[] {
  return field ? lostMembers(field, dialect, lost) : [];
}

function lostMembers(object: Field<RawObject>, dialect: Dialect, lost: ReadonlySet<LossKind>): Loss[] {
  return object.value.members.flatMap(({ key, value }) =>
    goes(key, dialect, lost) && !isEmpty(value) ? [loss(kindOf(key, dialect), `${object.path}.${key}`)] : [],
  );
}

/** `"annotations": {}` says nothing that could be lost. */
function isEmpty(value: RawValue): boolean {
  if (value.kind === 'object') return value.members.length === 0;
  return value.kind === 'array' ? value.items.length === 0 : value.kind === 'null';
}
