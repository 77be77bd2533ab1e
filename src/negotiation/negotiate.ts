import type { Form } from '../../converters/conversion-graph.ts';
import type { IndexForm } from '../../converters/indexes/convert-index.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { IndexEntry } from '../../converters/model.ts';
import type { ClientCapabilities } from './capabilities.ts';
import type { Reason } from './reasons.ts';

/** What is to be answered for a stored manifest, and why. */
export type Selection = Answer & { readonly because: Reason };

type Answer =
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
export interface ManifestInfo {
  readonly mediaType: string;
  /** Of an index: its entries; of an image: none. */
  readonly entries: readonly StoredEntry[] | undefined;
  /** Of an image: has layers that need a client which unpacks zstd. */
  readonly zstd: boolean;
  /** Of an image: says its type, and has configs and layers of types of its own family alone. */
  readonly singleFamily: boolean;
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
export function negotiate(stored: ManifestInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  const { entries, mediaType } = stored;
  return entries
    ? decideIndex(mediaType, entries, capabilities, pin)
    : decideImage(stored, capabilities, pin);
}

function decideImage(stored: ManifestInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  const { mediaType } = stored;
  const hindrance = hindranceIn(stored, capabilities);
  if (pin !== 'auto') {
    const asPinned = isOfForm(mediaType, pin) && hindrance === undefined;
    return { ...(asPinned ? { kind: 'stored' } : { kind: 'image', form: pin }), because: 'pinned' };
  }
  if (capabilities.wildcard) return { kind: 'stored', because: 'takes-anything' };
  const named = capabilities.types.has(mediaType);
  if (named && hindrance === undefined) return { kind: 'stored', because: 'reads-it' };
  const order = named ? [formOfType(mediaType), ...imageOrder] : imageOrder;
  const form = order.find((candidate) => candidate && capabilities.types.has(imageTypes[candidate]));
  if (form === undefined) return { kind: 'refuse', because: 'reads-no-form' };
  return { kind: 'image', form, because: (named && hindrance) || 'reads-nearest' };
}

/** Accepted means readable all the way down: what in an image of a form that the client reads it cannot read. */
function hindranceIn(
  { mediaType, zstd, singleFamily }: ManifestInfo,
  capabilities: ClientCapabilities,
): Reason | undefined {
  if (capabilities.wildcard) return undefined;
  if (zstd && !capabilities.zstd) return 'zstd-layers';
  // Docker from 1.10 on wants a signature, and every older one takes it: unsigned ones are signed on the way.
  if (mediaType === mediaTypes.schema1) return 'unsigned';
  // An OCI type inside a schema 2 manifest: Docker 1.13 says "target is unknown".
  const readable =
    singleFamily || mediaType !== mediaTypes.schema2 || capabilities.types.has(mediaTypes.ociManifest);
  return readable ? undefined : 'mixed-types';
}

function formOfType(mediaType: string): Form | undefined {
  return imageOrder.find((form) => isOfForm(mediaType, form));
}

function isOfForm(mediaType: string, form: Form): boolean {
  return mediaType === imageTypes[form] || (form === 'schema1' && mediaType === mediaTypes.schema1);
}

function decideIndex(
  mediaType: string,
  entries: readonly StoredEntry[],
  capabilities: ClientCapabilities,
  pin: Pin,
): Selection {
  if (pin !== 'auto')
    return { ...decidePinnedIndex(mediaType, entries, capabilities, pin), because: 'pinned' };
  if (capabilities.wildcard) return { kind: 'stored', because: 'takes-anything' };
  const named = capabilities.types.has(mediaType);
  if (named && readableDown(entries, capabilities)) return { kind: 'stored', because: 'reads-it' };
  const form = nearestIndex(mediaType, capabilities);
  if (form) return { kind: 'index', form, because: named ? 'entries-unread' : 'reads-nearest' };
  // The generic manifest has one type for images and indexes: asked for beside others, it is an image.
  if (capabilities.types.size === 1 && capabilities.types.has(mediaTypes.generic))
    return { kind: 'index', form: 'generic', because: 'reads-nearest' };
  if (readsImages(capabilities)) return { kind: 'choose', because: 'reads-no-index' };
  const other = indexOrder.find((candidate) => capabilities.types.has(indexTypes[candidate]));
  return other
    ? { kind: 'index', form: other, because: 'reads-nearest' }
    : { kind: 'refuse', because: 'reads-no-form' };
}

function readsImages({ types }: ClientCapabilities): boolean {
  return Object.values(imageTypes).some((type) => types.has(type));
}

/** An index form that the client reads with its images; its own family first. */
function nearestIndex(mediaType: string, capabilities: ClientCapabilities): IndexForm | undefined {
  const order = mediaType === mediaTypes.ociIndex ? indexOrder.toReversed() : indexOrder;
  return order.find(
    (form) => capabilities.types.has(indexTypes[form]) && capabilities.types.has(imageTypes[form]),
  );
}

function decidePinnedIndex(
  mediaType: string,
  entries: readonly StoredEntry[],
  capabilities: ClientCapabilities,
  pin: Form,
): Answer {
  if (pin === 'generic') {
    return mediaType === mediaTypes.generic ? { kind: 'stored' } : { kind: 'index', form: 'generic' };
  }
  if (pin === 'schema1') return { kind: 'choose' };
  const type = indexTypes[pin];
  if (!capabilities.wildcard && !capabilities.types.has(type)) return { kind: 'choose' };
  const pure =
    mediaType === type && entries.every((entry) => entry.attestation || entry.mediaType === imageTypes[pin]);
  return pure ? { kind: 'stored' } : { kind: 'index', form: pin };
}

/**
 * Accepted means readable all the way down: a list may have entries of a type that the client did not name. One that
 * names types of indexes alone wants no image now: it looks at what there is.
 */
function readableDown(entries: readonly StoredEntry[], capabilities: ClientCapabilities): boolean {
  if (!readsImages(capabilities)) return true;
  return entries.every(
    (entry) => capabilities.types.has(entry.mediaType) || !isManifestType(entry.mediaType),
  );
}

function isManifestType(mediaType: string): boolean {
  return (
    mediaType === mediaTypes.schema1 ||
    Object.values<string>(imageTypes).includes(mediaType) ||
    Object.values<string>(indexTypes).includes(mediaType)
  );
}

/** The type of what is to be made. */
export function mediaTypeOf(decision: Extract<Selection, { kind: 'image' | 'index' }>): string {
  if (decision.kind === 'image' || decision.form === 'generic') return imageTypes[decision.form];
  return indexTypes[decision.form];
}

/** The form whose index has this type. */
export function indexFormOf(mediaType: string): 'schema2' | 'oci' | undefined {
  return indexOrder.find((form) => indexTypes[form] === mediaType);
}
