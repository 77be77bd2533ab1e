import type { Dialect } from '../../errors.ts';
import type { RawObject } from '../../json/document.ts';
import type { RawEdit } from '../../json/edit.ts';
import { asDigest, asObject, type Field, optional, required } from '../../json/fields.ts';
import { isLost } from '../../losses.ts';
import type { LossKind } from '../../model.ts';

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
