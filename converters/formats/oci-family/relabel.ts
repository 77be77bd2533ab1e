import type { Dialect } from '../../errors.ts';
import type { RawObject } from '../../json/document.ts';
import type { RawEdit } from '../../json/edit.ts';
import { asDigest, asObject, type Field, optional, required } from '../../json/fields.ts';
import { goes } from '../../losses.ts';
import type { LossKind } from '../../model.ts';

/** What a descriptor is to say. */
export interface Relabelling {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number | undefined;
  /** The dialect that it is written in now. */
  readonly dialect: Dialect;
  readonly lost: ReadonlySet<LossKind>;
}

/** Makes a descriptor say something else in the layout that it has. Nothing is touched that stays true. */
export function relabelDescriptor(edit: RawEdit, field: Field<RawObject>, to: Relabelling): void {
  const object = field.value;
  const other = asDigest(required(field, 'digest')) !== to.digest;
  const gone = (key: string) => goes(key, to.dialect, to.lost) || (other && isStale(key));
  edit.removeMembers(object, gone);
  edit.setString(object, 'mediaType', to.mediaType, 'mediaType');
  if (!other) return;
  edit.setString(object, 'digest', to.digest, 'digest');
  // Proposal 62 calls it length.
  const sizeKeys = ['size', 'length'].filter((key) => optional(field, key));
  for (const key of sizeKeys) edit.set(object, key, String(to.size), key);
  const annotations = gone('annotations') ? undefined : optional(field, 'annotations');
  if (annotations) edit.removeMembers(asObject(annotations).value, describesPacking);
}

/** Members that hold the content, or say where it is: of other content they are false. */
function isStale(key: string): boolean {
  return key === 'data' || key === 'urls';
}

/** Annotations that tell a client where the parts of a packed layer are (zstd:chunked, eStargz). */
function describesPacking(key: string): boolean {
  return (
    key.startsWith('io.github.containers.zstd-chunked.') || key.startsWith('containerd.io/snapshot/stargz/')
  );
}
