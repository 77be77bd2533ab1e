import type { Form } from '../../converters/conversion-graph.ts';
import type { IndexForm } from '../../converters/indexes/convert-index.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { isManifestType } from '../../converters/read.ts';
import { type ClientCapabilities, lacksZstd } from './capabilities.ts';
import type { Reason } from './reasons.ts';
import {
  hasAttestations,
  hasBothCompressions,
  hasInnerIndex,
  prefersZstd,
  type StoredEntry,
} from './stored-entries.ts';

/** The form in which a client gets a stored manifest, and the reason. */
export type Selection = Choice & { readonly because: Reason };

type Choice =
  /** The stored bytes, unchanged. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'image'; readonly form: Form }
  | { readonly kind: 'index'; readonly form: IndexForm }
  /** The image of one platform, which is then negotiated by its own form. */
  | { readonly kind: 'choose' }
  /** No form that the client reads. */
  | { readonly kind: 'refuse' };

/** The facts about a stored manifest that negotiation uses. */
export interface ManifestInfo {
  readonly mediaType: string;
  /** The entries of an index; undefined for an image. */
  readonly entries: readonly StoredEntry[] | undefined;
  /** True for an image with layers that are compressed by zstd. */
  readonly zstd: boolean;
  /** True where `zstd` is known by the first bytes of layers, which are labelled otherwise. */
  readonly mislabelled?: true;
  /** True for an image with layers of the type that Docker has for zstd. */
  readonly dockerZstdType: boolean;
  /** True for an image that states its type, and whose config and layers all have types of its own family. */
  readonly singleFamily: boolean;
  /** True for a schema 2 manifest or a list that does not state its type. */
  readonly untyped?: true;
  /** True for a document that is neither an image nor an index, or that regshift cannot read: it has no other form. */
  readonly opaque?: true;
  /** True for an index without an image, such as the referrers of an image or a BuildKit cache: it has no other form. */
  readonly ofNoImages?: true;
}

type IndexInfo = ManifestInfo & { readonly entries: readonly StoredEntry[] };

/** The form that a route has for every client, or `auto`. */
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

/** The forms in the order of preference: the conversion that loses least comes first. */
const imageOrder: readonly Form[] = ['schema2', 'oci', 'schema1', 'generic'];
const indexOrder = ['schema2', 'oci'] as const;

/**
 * Selects the form in which a client gets a stored manifest.
 * @param pin the form that the route has for every client, or `auto`.
 */
export function negotiate(stored: ManifestInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  // A pin is about images. podman looks for a signature of each image that it pulls, and ends at another error than 404
  // MANIFEST_UNKNOWN.
  if (pin !== 'auto' && (stored.opaque || stored.ofNoImages) && takes(capabilities, stored))
    return { kind: 'stored', because: 'has-no-other-form' };
  return isIndex(stored)
    ? negotiateIndex(stored, capabilities, pin)
    : negotiateImage(stored, capabilities, pin);
}

/**
 * Whether the client takes a document as it is. containerd names types and a wildcard, and pulls artifacts and attestations
 * of any type; schema 1 it refuses.
 */
export function takes({ types, any, wildcard }: ClientCapabilities, { mediaType }: ManifestInfo): boolean {
  return wildcard || types.has(mediaType) || (any && formOfType(mediaType) !== 'schema1');
}

function isIndex(stored: ManifestInfo): stored is IndexInfo {
  return stored.entries !== undefined;
}

function negotiateImage(stored: ManifestInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  const { mediaType } = stored;
  const obstacle = obstacleIn(stored, capabilities);
  if (pin !== 'auto') {
    const asPinned = isOfForm(mediaType, pin) && obstacle === undefined;
    return { ...(asPinned ? { kind: 'stored' } : { kind: 'image', form: pin }), because: 'pinned' };
  }
  if (capabilities.wildcard) {
    return obstacle
      ? { kind: 'image', form: formOfType(mediaType) ?? 'schema2', because: obstacle }
      : { kind: 'stored', because: 'takes-anything' };
  }
  const named = capabilities.types.has(mediaType);
  if (stored.opaque && !named && takes(capabilities, stored))
    return { kind: 'stored', because: 'has-no-other-form' };
  const preferred = preferredImage(capabilities, mediaType);
  if (named && obstacle === undefined && preferred === undefined)
    return { kind: 'stored', because: 'reads-it' };
  // The OCI manifest has types for the same blobs, so that no layer is read.
  const isRelabelled = stored.zstd && (obstacle === 'docker-zstd-type' || obstacle === 'mixed-types');
  const order = preferred
    ? [preferred]
    : named
      ? [isRelabelled ? 'oci' : formOfType(mediaType), ...imageOrder]
      : imageOrder;
  const form = order.find((candidate) => candidate && capabilities.types.has(imageTypes[candidate]));
  if (form === undefined) return negotiateUnnamedImage(mediaType, capabilities);
  return {
    kind: 'image',
    form,
    because: (named && obstacle) || (preferred ? 'prefers-it' : 'reads-nearest'),
  };
}

/**
 * A client that names indexes and no image gets schema 1 for an image of Docker's, as docker-registry 2.8 gives it.
 * The watcher What's up Docker 6.6 compares the `config.Image` of it with that of the engine
 * (app/registries/Registry.js, `getImageManifestDigest`).
 */
function negotiateUnnamedImage(mediaType: string, { types, schema1 }: ClientCapabilities): Selection {
  const namesIndexes = indexOrder.some((form) => types.has(indexTypes[form]));
  const isDocker = mediaType === mediaTypes.schema2 || isOfForm(mediaType, 'schema1');
  if (!namesIndexes || !isDocker || !schema1) return { kind: 'refuse', because: 'reads-no-form' };
  const choice: Choice =
    mediaType === mediaTypes.schema1Signed ? { kind: 'stored' } : { kind: 'image', form: 'schema1' };
  return { ...choice, because: 'indexes-alone' };
}

/** The form that the client prefers to the stored one, and to all others of lower q; undefined where q is equal. */
function preferredImage({ types }: ClientCapabilities, mediaType: string): Form | undefined {
  const q = (form: Form) => types.get(imageTypes[form]) ?? 0;
  const highest = Math.max(...imageOrder.map(q));
  const isUndecided =
    highest <= (types.get(mediaType) ?? 0) || [...types.values()].every((each) => each === highest);
  return isUndecided ? undefined : imageOrder.find((form) => q(form) === highest);
}

/** The reason why the client cannot read an image although it reads the form of it; undefined if it can. */
export function obstacleIn(
  { mediaType, zstd, dockerZstdType, singleFamily, untyped, opaque }: ManifestInfo,
  capabilities: ClientCapabilities,
): Reason | undefined {
  if (opaque) return undefined;
  if (zstd && lacksZstd(capabilities)) return 'zstd-layers';
  if (capabilities.wildcard) return undefined;
  // Docker from 1.10 on requires a signature, and every older version accepts one: regshift signs unsigned manifests.
  if (mediaType === mediaTypes.schema1) return 'unsigned';
  if (mediaType !== mediaTypes.schema2) return undefined;
  if (untyped && !capabilities.untypedSchema2) return 'untyped';
  if (dockerZstdType && !capabilities.dockerZstdType) return 'docker-zstd-type';
  // An OCI type inside a schema 2 manifest: Docker 1.13 says "target is unknown".
  return singleFamily || capabilities.ociTypesInSchema2 ? undefined : 'mixed-types';
}

function formOfType(mediaType: string): Form | undefined {
  return imageOrder.find((form) => isOfForm(mediaType, form));
}

function isOfForm(mediaType: string, form: Form): boolean {
  return mediaType === imageTypes[form] || (form === 'schema1' && mediaType === mediaTypes.schema1);
}

/** Selects for an index within the operator's limits. */
function negotiateIndex(stored: IndexInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  const { mediaType, entries } = stored;
  const { limits } = capabilities;
  if (limits?.oneImage && !stored.ofNoImages) return { kind: 'choose', because: 'index-one' };
  const selection = negotiateWholeIndex(stored, capabilities, pin);
  if (selection.kind !== 'stored') return selection;
  const form = indexFormOf(mediaType) ?? 'generic';
  // A client that decompresses zstd may choose the zstd image wherever it stands in the index (containers/image,
  // internal/manifest/oci_index.go).
  if (limits?.noZstd && hasBothCompressions({ entries }))
    return { kind: 'index', form, because: 'zstd-inside' };
  const isStripped = limits?.noAttestations && hasAttestations({ entries });
  return isStripped ? { kind: 'index', form, because: 'no-attestations' } : selection;
}

function negotiateWholeIndex(stored: IndexInfo, capabilities: ClientCapabilities, pin: Pin): Selection {
  const { mediaType, entries } = stored;
  if (pin !== 'auto')
    return { ...negotiatePinnedIndex(mediaType, entries, capabilities, pin), because: 'pinned' };
  if (capabilities.wildcard) return { kind: 'stored', because: 'takes-anything' };
  const named = capabilities.types.has(mediaType);
  const obstacle = obstacleInIndex(stored, capabilities);
  if (named && obstacle === undefined) return { kind: 'stored', because: 'reads-it' };
  const form = nearestIndex(mediaType, capabilities);
  if (form) return { kind: 'index', form, because: (named && obstacle) || 'reads-nearest' };
  // Images and indexes share the type of the generic manifest. Beside other types it stands for an image.
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

/** The index form that the client reads together with its images; the stored family is preferred. */
function nearestIndex(mediaType: string, capabilities: ClientCapabilities): IndexForm | undefined {
  const order = mediaType === mediaTypes.ociIndex ? indexOrder.toReversed() : indexOrder;
  return order.find(
    (form) => capabilities.types.has(indexTypes[form]) && capabilities.types.has(imageTypes[form]),
  );
}

function negotiatePinnedIndex(
  mediaType: string,
  entries: readonly StoredEntry[],
  capabilities: ClientCapabilities,
  pin: Form,
): Choice {
  if (pin === 'generic') {
    return mediaType === mediaTypes.generic ? { kind: 'stored' } : { kind: 'index', form: 'generic' };
  }
  if (pin === 'schema1') return { kind: 'choose' };
  const type = indexTypes[pin];
  if (!capabilities.wildcard && !capabilities.types.has(type)) return { kind: 'choose' };
  const singleFamily =
    mediaType === type && entries.every((entry) => entry.attestation || entry.mediaType === imageTypes[pin]);
  const leadsToZstd = lacksZstd(capabilities) && prefersZstd(entries);
  return singleFamily && !leadsToZstd ? { kind: 'stored' } : { kind: 'index', form: pin };
}

/**
 * The reason why the client cannot read an index although it reads the form of it: an index may have entries of a type
 * that the client does not name. A client that names only index types is not pulling an image: it inspects the index.
 */
function obstacleInIndex(
  { entries, untyped }: IndexInfo,
  capabilities: ClientCapabilities,
): Reason | undefined {
  if (!readsImages(capabilities)) return undefined;
  if (untyped && !capabilities.untypedSchema2) return 'untyped';
  const isRead = ({ mediaType }: StoredEntry) =>
    capabilities.types.has(mediaType) || !isManifestType(mediaType);
  if (!entries.every(isRead)) return 'entries-unread';
  if (!capabilities.nestedIndex && hasInnerIndex({ entries })) return 'nested-index';
  return !capabilities.zstd && prefersZstd(entries) ? 'zstd-inside' : undefined;
}

/** Whether the images of an index go out as they are stored. */
export function keepsImages({ kind, because }: Selection): boolean {
  return kind === 'stored' || because === 'no-attestations';
}

/** The media type of the manifest that a conversion produces. */
export function mediaTypeOf(selection: Extract<Selection, { kind: 'image' | 'index' }>): string {
  if (selection.kind === 'image' || selection.form === 'generic') return imageTypes[selection.form];
  return indexTypes[selection.form];
}

/** The form whose index has this media type. */
export function indexFormOf(mediaType: string): 'schema2' | 'oci' | undefined {
  return indexOrder.find((form) => indexTypes[form] === mediaType);
}
