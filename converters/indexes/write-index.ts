import { digestOf } from '../digest.ts';
import { writeFatGeneric } from '../formats/generic/write.ts';
import {
  type ConvertedEntry,
  type IndexFamily,
  writeDescriptorIndex,
} from '../formats/oci-family/write-index.ts';
import type { Index, LossKind } from '../model.ts';
import type { DerivedBlob } from '../steps/step.ts';

/** An index as it is sent, and the blobs that were made for it. */
export interface WrittenIndex {
  readonly body: Uint8Array;
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Writes an index over children that are converted.
 * @param entries those that stay.
 * @param lost the kinds of things that the form cannot carry.
 */
export type WriteIndex = (
  index: Index,
  entries: readonly ConvertedEntry[],
  lost: ReadonlySet<LossKind>,
) => WrittenIndex;

export function toIndexFamily(family: IndexFamily): WriteIndex {
  return (index, entries, lost) => ({ body: writeDescriptorIndex(index, entries, family, lost), blobs: [] });
}

export const toFatGeneric: WriteIndex = (index, entries) => {
  if (index.source.dialect === 'generic' && isUnchanged(index, entries)) {
    return { body: index.source.bytes, blobs: [] };
  }
  const { bytes, target } = writeFatGeneric(index, entries);
  return { body: bytes, blobs: [{ kind: 'config', digest: digestOf(target), bytes: target }] };
};

function isUnchanged({ dependencies }: Index, entries: readonly ConvertedEntry[]): boolean {
  return (
    entries.length === dependencies.length && entries.every(({ entry, digest }) => entry.digest === digest)
  );
}
