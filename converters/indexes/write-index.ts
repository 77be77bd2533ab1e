import type { Bytes } from '../bytes.ts';
import { digestOf } from '../digest.ts';
import { writeFatGeneric } from '../formats/generic/write.ts';
import type { DialectRules } from '../formats/oci-family/relabel.ts';
import { type ConvertedEntry, writeDescriptorIndex } from '../formats/oci-family/write-index.ts';
import type { Index, LossKind } from '../model.ts';
import type { DerivedBlob } from '../steps/step.ts';

/** A written index, and the new blobs that it names. */
export interface WrittenIndex {
  readonly body: Bytes;
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Writes an index whose manifests are already converted.
 * @param entries the entries of the new index.
 * @param lost the kinds of content that the form cannot hold.
 */
export type WriteIndex = (
  index: Index,
  entries: readonly ConvertedEntry[],
  lost: ReadonlySet<LossKind>,
) => WrittenIndex;

/** Makes the writer of manifest lists or OCI indexes. */
export function toImageIndex(rules: DialectRules): WriteIndex {
  return (index, entries, lost) => ({ body: writeDescriptorIndex(index, entries, rules, lost), blobs: [] });
}

/** Writes a fat generic manifest. A stored one whose entries are unchanged keeps its bytes. */
export const toFatGeneric: WriteIndex = (index, entries) => {
  if (index.source.dialect === 'generic' && isUnchanged(index, entries)) {
    return { body: index.source.bytes, blobs: [] };
  }
  const { bytes, target } = writeFatGeneric(index, entries);
  return { body: bytes, blobs: [{ kind: 'config', digest: digestOf(target), bytes: target }] };
};

function isUnchanged({ dependencies, unusable }: Index, entries: readonly ConvertedEntry[]): boolean {
  return (
    unusable.length === 0 &&
    entries.length === dependencies.length &&
    entries.every(({ entry, digest }) => entry.digest === digest)
  );
}
