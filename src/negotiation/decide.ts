import type { Form } from '../../converters/convert.ts';
import type { IndexForm } from '../../converters/convert-index.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { IndexEntry } from '../../converters/model.ts';
import type { Reads } from './reads.ts';

/** What is to be answered for a stored manifest. */
export type Decision =
  /** The stored bytes, untouched. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'image'; readonly form: Form }
  | { readonly kind: 'index'; readonly form: IndexForm }
  /** One platform's image; what becomes of it is decided again by its own form. */
  | { readonly kind: 'choose' }
  | { readonly kind: 'refuse' };

/** An entry of a stored index, without the document that it was read from: this is kept for long. */
export type StoredEntry = Pick<IndexEntry, 'mediaType' | 'digest' | 'platform' | 'attestation'>;

/** What is stored, as far as the decision needs it. */
export interface StoredForm {
  readonly mediaType: string;
  /** Of an index: its entries; of an image: none. */
  readonly entries: readonly StoredEntry[] | undefined;
  /** Of an image: has layers that need a client which unpacks zstd. */
  readonly zstd: boolean;
  /** Of an image: says its type, and has configs and layers of types of its own family alone. */
  readonly pure: boolean;
}

export type Pin = Form | 'auto';

const imageTypes: Readonly<Record<Form, string>> = {
  schema1: mediaTypes.schema1Signed,
  schema2: mediaTypes.schema2,
  oci: mediaTypes.ociManifest,
  generic: mediaTypes.generic,
};

const indexTypes: Readonly<Record<'schema2' | 'oci', string>> = {
  schema2: mediaTypes.dockerList,
  oci: mediaTypes.ociIndex,
};

/** Forms to offer in the order that loses least, by the type stored. */
const imageOrder: readonly Form[] = ['schema2', 'oci', 'schema1', 'generic'];
const indexOrder = ['schema2', 'oci'] as const;

/**
 * Decides what a client is given for what is stored.
 * @param pin a form for every client of the route, or `auto`.
 */
export function decide(stored: StoredForm, reads: Reads, pin: Pin): Decision {
  const { entries, mediaType } = stored;
  return entries ? decideIndex(mediaType, entries, reads, pin) : decideImage(stored, reads, pin);
}

function decideImage(stored: StoredForm, reads: Reads, pin: Pin): Decision {
  const { mediaType } = stored;
  if (pin !== 'auto') {
    const asPinned = isOfForm(mediaType, pin) && isReadable(stored, reads);
    return asPinned ? { kind: 'stored' } : { kind: 'image', form: pin };
  }
  if (reads.anything) return { kind: 'stored' };
  const order = reads.types.has(mediaType) ? [formOfType(mediaType), ...imageOrder] : imageOrder;
  if (reads.types.has(mediaType) && isReadable(stored, reads)) return { kind: 'stored' };
  const form = order.find((candidate) => candidate && reads.types.has(imageTypes[candidate]));
  return form ? { kind: 'image', form } : { kind: 'refuse' };
}

/** Accepted means readable all the way down. */
function isReadable({ mediaType, zstd, pure }: StoredForm, reads: Reads): boolean {
  if (reads.anything) return true;
  if (zstd && !reads.zstd) return false;
  // Docker from 1.10 on wants a signature, and every older one takes it: unsigned ones are signed on the way.
  if (mediaType === mediaTypes.schema1) return false;
  // An OCI type inside a schema 2 manifest: Docker 1.13 says "target is unknown".
  return pure || mediaType !== mediaTypes.schema2 || reads.types.has(mediaTypes.ociManifest);
}

function formOfType(mediaType: string): Form | undefined {
  return imageOrder.find((form) => isOfForm(mediaType, form));
}

function isOfForm(mediaType: string, form: Form): boolean {
  return mediaType === imageTypes[form] || (form === 'schema1' && mediaType === mediaTypes.schema1);
}

function decideIndex(mediaType: string, entries: readonly StoredEntry[], reads: Reads, pin: Pin): Decision {
  if (pin !== 'auto') return decidePinnedIndex(mediaType, entries, reads, pin);
  if (reads.anything) return { kind: 'stored' };
  if (reads.types.has(mediaType) && readableDown(entries, reads)) return { kind: 'stored' };
  const form = nearestIndex(mediaType, reads);
  if (form) return { kind: 'index', form };
  // The generic manifest has one type for images and indexes: asked for beside others, it is an image.
  if (reads.types.size === 1 && reads.types.has(mediaTypes.generic))
    return { kind: 'index', form: 'generic' };
  const anyImage = Object.values(imageTypes).some((type) => reads.types.has(type));
  return anyImage ? { kind: 'choose' } : { kind: 'refuse' };
}

/** An index form that the client reads with its images; its own family first. */
function nearestIndex(mediaType: string, reads: Reads): IndexForm | undefined {
  const order = mediaType === mediaTypes.ociIndex ? indexOrder.toReversed() : indexOrder;
  return order.find((form) => reads.types.has(indexTypes[form]) && reads.types.has(imageTypes[form]));
}

function decidePinnedIndex(
  mediaType: string,
  entries: readonly StoredEntry[],
  reads: Reads,
  pin: Form,
): Decision {
  if (pin === 'generic') {
    return mediaType === mediaTypes.generic ? { kind: 'stored' } : { kind: 'index', form: 'generic' };
  }
  if (pin === 'schema1') return { kind: 'choose' };
  const type = indexTypes[pin];
  if (!reads.anything && !reads.types.has(type)) return { kind: 'choose' };
  const pure =
    mediaType === type && entries.every((entry) => entry.attestation || entry.mediaType === imageTypes[pin]);
  return pure ? { kind: 'stored' } : { kind: 'index', form: pin };
}

/** Accepted means readable all the way down: a list may have entries of a type that the client did not name. */
function readableDown(entries: readonly StoredEntry[], reads: Reads): boolean {
  return entries.every((entry) => reads.types.has(entry.mediaType) || !isManifestType(entry.mediaType));
}

function isManifestType(mediaType: string): boolean {
  return (
    Object.values<string>(imageTypes).includes(mediaType) ||
    Object.values<string>(indexTypes).includes(mediaType)
  );
}

/** The form whose index has this type. */
export function indexFormOf(mediaType: string): 'schema2' | 'oci' | undefined {
  return indexOrder.find((form) => indexTypes[form] === mediaType);
}
