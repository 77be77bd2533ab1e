import type { Dialect } from './errors.ts';
import type { RawObject, RawValue } from './json/document.ts';
import { asObject, type Field, optional, rootField } from './json/fields.ts';
import { limits } from './limits.ts';
import type { Descriptor, Image, Index, IndexEntry, Loss, LossKind } from './model.ts';
import { formatPlatform } from './platform.ts';

/** Members that every form has in some spelling. Conversions translate them and never lose them. */
const structural: ReadonlySet<string> = new Set([
  ...['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'target', 'dependencies', 'signatures'],
  ...['digest', 'size', 'length', 'platform'],
]);

/** The loss kinds of the members that OCI defines. */
const ociKinds: Readonly<Record<string, LossKind>> = {
  annotations: 'annotations',
  subject: 'subject',
  artifactType: 'artifactType',
  data: 'data',
  urls: 'urls',
};

/** The loss kinds of the other members that each dialect defines. Any member not listed is `unknown`. */
const kindsByDialect: Readonly<Record<Dialect, Readonly<Record<string, LossKind>>>> = {
  schema1: {},
  v1: {},
  // crane (`mutate --annotation`) writes annotations in schema 2 manifests and lists, too.
  schema2: ociKinds,
  oci: ociKinds,
  generic: { labels: 'annotations', annotations: 'annotations', urls: 'urls' },
};

/** Meanings of the loss kinds, for the README. */
export const lossDescriptions: Readonly<Record<LossKind, string>> = {
  annotations: 'OCI annotations, and labels of generic manifests',
  subject: 'the manifest that an OCI manifest or index refers to',
  artifactType: 'OCI’s `artifactType`, of images that state the type of their config there',
  data: 'content that OCI embeds in a descriptor',
  urls: 'other URLs of a blob',
  attachments: 'dependencies of a generic manifest that are not layers',
  history: 'the oldest history entries without a layer, if the history has more than 124 entries',
  signatures: 'the signatures of schema 1, which sign only the schema 1 document',
  missing: 'index entries whose manifest is not available',
  entries:
    'index entries that are not images or cannot be converted, and inner indexes replaced by their entries',
  platform: 'members of an entry’s platform beyond the five of OCI',
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

/** Makes the record of one loss. @param detail replaces the usual reason of the kind. */
export function loss(kind: LossKind, path: string, detail?: string): Loss {
  return { kind, path, reason: detail ?? reasons[kind] };
}

/** The name of an attestation in a loss. */
export const attestationName = 'a build attestation';

/** Makes the record of an entry of an index. @param reason the rest of a sentence that begins with the entry. */
export function entryLoss(entry: IndexEntry, reason: string, kind: LossKind = 'entries'): Loss {
  return { ...loss(kind, entry.field?.path ?? entry.digest, reason), name: nameOf(entry) };
}

function nameOf({ attestation, platform, digest }: IndexEntry): string {
  if (attestation) return attestationName;
  return platform ? `the image for ${formatPlatform(platform)}` : `the entry ${digest.slice(0, 19)}…`;
}

/** Whether a conversion loses the member with this key. @param lost the kinds that the form cannot hold. */
export function isLost(key: string, dialect: Dialect, lost: ReadonlySet<LossKind>): boolean {
  return !structural.has(key) && lost.has(kindOf(key, dialect));
}

function kindOf(key: string, dialect: Dialect): LossKind {
  const kinds = kindsByDialect[dialect];
  return Object.hasOwn(kinds, key) ? (kinds[key] ?? 'unknown') : 'unknown';
}

/** The losses of an image. @param lost the kinds that the form cannot hold (see `conversion-graph.ts`). */
export function lossesOfImage(image: Image, lost: ReadonlySet<LossKind>): Loss[] {
  const { source, target, dependencies, attachments } = image;
  if (target.kind === 'v1') {
    const signed = target.signatures.length > 0 && lost.has('signatures');
    return signed ? [loss('signatures', '$.signatures')] : [];
  }
  const members = [target.descriptor, ...dependencies].flatMap((each) =>
    membersOf(each, source.dialect, lost),
  );
  const lostAttachments = lost.has('attachments') ? attachments.map(attachmentLoss) : [];
  return bounded([...rootMembers(image, lost), ...members, ...lostAttachments]);
}

/** The first losses, and one that stands for the rest: the list is stored with the manifest. */
function bounded(losses: readonly Loss[]): Loss[] {
  const [first, ...rest] = losses.slice(limits.losses);
  const listed = losses.slice(0, limits.losses);
  if (!first) return listed;
  return [...listed, loss(first.kind, first.path, `and ${rest.length} others are lost, and not listed`)];
}

function attachmentLoss({ field, mediaType, digest }: Descriptor): Loss {
  return loss('attachments', field?.path ?? digest, `${reasons.attachments} (${mediaType})`);
}

/** The losses of an index and of those entries that stay. @param lost the kinds that the form cannot hold. */
export function lossesOfIndex(
  index: Index,
  entries: readonly IndexEntry[],
  lost: ReadonlySet<LossKind>,
): Loss[] {
  return bounded([
    ...rootMembers(index, lost),
    ...entries.flatMap((entry) => membersOf(entry, index.source.dialect, lost)),
    ...(lost.has('platform') ? entries.flatMap(platformDetails) : []),
  ]);
}

/** Members of a platform that the model's `Platform` has. */
const modelled: ReadonlySet<string> = new Set(['os', 'architecture', 'variant', 'os.version', 'os.features']);

/** Other members of a platform, such as the processor features in a manifest list. */
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
    isLost(key, dialect, lost) && !isEmpty(value)
      ? [loss(kindOf(key, dialect), `${object.path}.${key}`)]
      : [],
  );
}

/** An empty member, such as `"annotations": {}` or `"artifactType": ""`, contains nothing that could be lost. */
function isEmpty(value: RawValue): boolean {
  if (value.kind === 'object') return value.members.length === 0;
  if (value.kind === 'string') return value.end - value.start === '""'.length;
  return value.kind === 'array' ? value.items.length === 0 : value.kind === 'null';
}
