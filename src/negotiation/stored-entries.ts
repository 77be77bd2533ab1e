import { gzipTwinOf } from '../../converters/indexes/entries.ts';
import { indexTypes } from '../../converters/media-types.ts';
import type { IndexEntry } from '../../converters/model.ts';

/** An entry of a stored index, without the document that it was parsed from, because entries are cached for long. */
export interface StoredEntry extends Pick<IndexEntry, 'mediaType' | 'digest' | 'platform' | 'attestation'> {
  /** True if the entry says that its image has zstd layers. */
  readonly zstd: boolean;
}

interface StoredIndex {
  readonly entries: readonly StoredEntry[] | undefined;
}

/** Whether an index is inside the index. */
export function hasInnerIndex({ entries = [] }: StoredIndex): boolean {
  return entries.some(({ mediaType }) => indexTypes.includes(mediaType));
}

/** Whether the index has attestations beside other entries. */
export function hasAttestations({ entries = [] }: StoredIndex): boolean {
  return entries.some(isAttestation) && !entries.every(isAttestation);
}

function isAttestation({ attestation }: StoredEntry): boolean {
  return attestation;
}

/** Whether the index has an image labelled as zstd and a gzip image for one platform. */
export function hasBothCompressions({ entries = [] }: StoredIndex): boolean {
  return entries.some((entry) => gzipTwinOf(entry, entries, isZstd) !== undefined);
}

/** Whether a client that takes the first entry of its platform gets a zstd image that is there as gzip, too. */
export function prefersZstd(entries: readonly StoredEntry[]): boolean {
  return entries.some((entry, at) => gzipTwinOf(entry, entries.slice(at + 1), isZstd) !== undefined);
}

function isZstd({ zstd }: StoredEntry): boolean {
  return zstd;
}
