import type { Dialect } from '../../errors.ts';
import type { RawObject } from '../../json/document.ts';
import { RawEdit } from '../../json/edit.ts';
import { asDigest, asObject, type Field, optional, required, rootField } from '../../json/fields.ts';
import { isLost } from '../../losses.ts';
import type { LossKind, Source } from '../../model.ts';

/** The differences between the manifests and indexes of Docker and of OCI. */
export interface DialectRules {
  readonly dialect: Dialect;
  /** The type of the written document. */
  readonly mediaType: string;
  /** Whether the dialect has annotations. */
  readonly annotated: boolean;
  /** Whether a document without `mediaType` gets one even if nothing else changes. */
  readonly needsMediaType: boolean;
  /** Spaces per level in a new document; 0 for compact text. */
  readonly indent: number;
}

/** Whether documents of a dialect have the layout of schema 2 and OCI, which conversions keep. */
export function hasFamilyLayout(dialect: Dialect | undefined): dialect is 'schema2' | 'oci' {
  return dialect === 'schema2' || dialect === 'oci';
}

/**
 * Begins to change a stored document to a dialect: its type, and the members that the dialect does not allow. Every other
 * character stays.
 */
export function relabelRoot(
  { document, dialect }: Source,
  rules: DialectRules,
  lost: ReadonlySet<LossKind>,
): RawEdit {
  const edit = new RawEdit(document);
  const root = asObject(rootField(document));
  edit.removeMembers(root.value, (key) => isLost(key, dialect, lost));
  if (dialect !== rules.dialect || rules.needsMediaType || optional(root, 'mediaType')) {
    edit.setString(root.value, 'mediaType', rules.mediaType, 'schemaVersion');
  }
  return edit;
}

/** The new content of a descriptor. */
export interface Relabelling {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number | undefined;
  /** The dialect of the document that contains the descriptor. */
  readonly dialect: Dialect;
  readonly lost: ReadonlySet<LossKind>;
}

/**
 * Changes a descriptor to `to`, and keeps its layout. Members that are still correct stay as written.
 * @param to the new content.
 */
export function relabelDescriptor(edit: RawEdit, field: Field<RawObject>, to: Relabelling): void {
  const object = field.value;
  const other = asDigest(required(field, 'digest')) !== to.digest;
  const gone = (key: string) => isLost(key, to.dialect, to.lost) || (other && isStale(key));
  edit.removeMembers(object, gone);
  edit.setString(object, 'mediaType', to.mediaType, 'mediaType');
  if (!other) return;
  edit.setString(object, 'digest', to.digest, 'digest');
  // Proposal 62 calls the size `length`.
  const sizeKeys = ['size', 'length'].filter((key) => optional(field, key));
  for (const key of sizeKeys) edit.set(object, key, String(to.size), key);
  const annotations = gone('annotations') ? undefined : optional(field, 'annotations');
  if (annotations) edit.removeMembers(asObject(annotations).value, describesCompression);
}

/** Whether a member is wrong after the digest changes, because it contains or locates the old content. */
function isStale(key: string): boolean {
  return key === 'data' || key === 'urls';
}

/** The beginnings of annotations that locate the parts of a compressed layer. */
const partsOfCompressed = [
  'io.github.containers.zstd-chunked.',
  // podman 4.3 and stargz-snapshotter write this name of zstd:chunked, and podman 4.3 reads it.
  'io.containers.zstd-chunked.',
  'containerd.io/snapshot/stargz/',
];

function describesCompression(key: string): boolean {
  return partsOfCompressed.some((beginning) => key.startsWith(beginning));
}
