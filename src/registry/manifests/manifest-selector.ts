import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { hasCode, ignoring, RegistryError } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import {
  indexFormOf,
  keepsImages,
  type ManifestInfo,
  negotiate,
  obstacleIn,
  type Pin,
  type Selection,
  takes,
} from '../../negotiation/negotiate.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ClientRequest } from '../client-request.ts';
import type { ContentStore } from '../content-store.ts';
import { needsDecompression, platformFor } from './client-platform.ts';
import type { PlatformSelector } from './platform-selector.ts';

/** A client's request for a manifest. */
export interface ManifestRequest {
  readonly request: ClientRequest;
  /** The repository by its name upstream. */
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

/** A request for a manifest, and the stored manifest that its reference names. */
export interface StoredManifestRequest extends ManifestRequest {
  readonly root: Digest;
  readonly info: ManifestInfo;
}

/** The stored manifest that the response is, or is converted from. */
export interface SelectedManifest {
  /** The root, or the image of it for the client's platform. */
  readonly digest: Digest;
  readonly info: ManifestInfo;
  /** The image that the client will choose from an index, where it was looked into. */
  readonly image?: ImageOfIndex | undefined;
  readonly selection: Exclude<Selection, { readonly kind: 'choose' } | { readonly kind: 'refuse' }>;
}

interface ImageOfIndex {
  readonly digest: Digest;
  readonly info: ManifestInfo;
}

interface Looked {
  readonly selection: Selection;
  readonly image?: ImageOfIndex | undefined;
}

export interface ManifestSelectorOptions {
  readonly content: Pick<ContentStore, 'getManifestInfo'>;
  readonly platformSelector: PlatformSelector;
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
  readonly pin: Pin;
  /** Whether an index that must be converted is served as the one image that the client will choose. */
  readonly servesOneOfList: (context: RequestContext) => boolean;
  /** Whether upstream counts each GET of a manifest. */
  readonly countsPulls: (context: RequestContext) => boolean;
}

export interface ManifestSelector {
  /** Negotiates, down to one platform's image where needed. @throws RegistryError UNSUPPORTED; ConversionError. */
  select(stored: StoredManifestRequest): Promise<SelectedManifest>;
}

export function createManifestSelector(options: ManifestSelectorOptions): ManifestSelector {
  const { content, platformSelector, pin, servesOneOfList, countsPulls } = options;

  const imageOf = ({ request, repository }: ManifestRequest, index: Digest) =>
    platformSelector.select(repository, index, platformFor(options, request), request.context);

  const infoOf = ({ request, repository }: ManifestRequest, digest: Digest) =>
    content.getManifestInfo(repository, digest, request.context);

  async function negotiateRoot(stored: StoredManifestRequest): Promise<Looked> {
    const { request, info } = stored;
    const asNamed = stored.reference.kind === 'digest' && selectForDigest(stored);
    if (asNamed) return { selection: asNamed };
    const looked = await withReadableLayers(
      stored,
      negotiate(info, request.capabilities, pinFor(pin, request)),
    );
    // Each child of an index that is fetched counts as a pull on Docker Hub.
    const { kind } = looked.selection;
    const isOne = kind === 'index' && !keepsImages(looked.selection) && servesOneOfList(request.context);
    return isOne ? { selection: { kind: 'choose', because: 'one-of-list' } } : looked;
  }

  async function imageIn(stored: StoredManifestRequest): Promise<ImageOfIndex | undefined> {
    const digest = await imageOf(stored, stored.root).catch(unlessUpstreamFails);
    const info = digest && (await infoOf(stored, digest).catch(unlessUpstreamFails));
    return digest && info && { digest, info };
  }

  /**
   * The entries of an index do not say how layers are compressed, nor of which types they are. Where some images of an
   * index can be unreadable, the image that the client will choose is read; if it is unreadable, the index must be
   * converted.
   */
  async function withReadableLayers(stored: StoredManifestRequest, selection: Selection): Promise<Looked> {
    const { request } = stored;
    const { capabilities } = request;
    const counts = countsPulls(request.context);
    // The new index names the plain tars of layers that only their first bytes show to be zstd.
    const isConverted = selection.kind === 'index' && !keepsImages(selection);
    if (isConverted && needsDecompression(request) && !counts)
      return { selection, image: await imageIn(stored) };
    if (!keepsImages(selection) || !mayHaveUnreadable(stored)) return { selection };
    // A client that names no platform may choose another image than the one that is read: that would be one pull more.
    const isExtra = !needsDecompression(request) && request.client.platform === undefined;
    if (isExtra && counts) return { selection };
    const image = await imageIn(stored);
    const obstacle = image && obstacleIn(image.info, capabilities);
    if (obstacle === undefined) return { selection, image };
    if (obstacle === 'zstd-layers') {
      const form = indexFormOf(stored.info.mediaType);
      return { selection: form ? { kind: 'index', form, because: 'zstd-inside' } : selection, image };
    }
    const isRelabelled = capabilities.types.has(mediaTypes.ociIndex);
    return {
      selection: { kind: 'index', form: isRelabelled ? 'oci' : 'schema2', because: obstacle },
      image,
    };
  }

  return {
    async select(stored) {
      const { request, root } = stored;
      let [digest, info] = [root, stored.info];
      const { selection: first, image } = await negotiateRoot(stored);
      let selection = first;
      request.onSelection?.(digest, selection);
      while (selection.kind === 'choose') {
        digest = await imageOf(stored, digest);
        info = await infoOf(stored, digest);
        selection = negotiate(info, request.capabilities, pinFor(pin, request));
        request.onSelection?.(digest, selection);
      }
      if (selection.kind === 'refuse') throw notAcceptable(stored);
      return { digest, info, selection, image: digest === root ? image : undefined };
    },
  };
}

/** The form for the clients of a rule, or else of the route. */
export function pinFor(pin: Pin, { applied }: ClientRequest): Pin {
  return applied?.rule?.format ?? pin;
}

/**
 * A digest names bytes: the stored bytes are sent if the client reads them, also if it would rather read others, or
 * names their type.
 * @returns undefined where the stored bytes are not sent.
 */
function selectForDigest({ request, info }: StoredManifestRequest): Selection | undefined {
  const selection = negotiate(info, request.digestCapabilities, 'auto');
  // A signature does not change the digest of schema 1.
  if (selection.kind === 'stored' || selection.because === 'unsigned') return selection;
  const { types, zstd } = request.digestCapabilities;
  if (selection.because === 'prefers-it' && types.has(info.mediaType))
    return { kind: 'stored', because: 'reads-it' };
  if (selection.because === 'indexes-alone') return { kind: 'stored', because: 'indexes-alone' };
  // containerd names the type that a HEAD or an index told it and a wildcard: what is inside is for it to judge.
  const namesNothingElse = types.size === 1 && (zstd || !info.zstd);
  const isNamedIndex = info.entries !== undefined && types.has(info.mediaType);
  const isTaken = isNamedIndex || (namesNothingElse && takes(request.digestCapabilities, info));
  return isTaken ? { kind: 'stored', because: 'digest-named' } : undefined;
}

/** Whether an index that the client reads can have images that it does not read, by what the entries say. */
function mayHaveUnreadable({ request, info }: StoredManifestRequest): boolean {
  if (!info.entries || indexFormOf(info.mediaType) === undefined) return false;
  if (needsDecompression(request)) return true;
  const { wildcard, types, dockerZstdType, ociTypesInSchema2 } = request.capabilities;
  const readsAll = wildcard || !types.has(mediaTypes.ociManifest) || (dockerZstdType && ociTypesInSchema2);
  return !readsAll && info.entries.some(({ mediaType }) => mediaType === mediaTypes.schema2);
}

/**
 * An index that cannot be looked into goes out as it is stored: a client that reads it finds that it has no image for
 * its platform, or no image at all, and reports that in its own words.
 */
const unlessUpstreamFails = ignoring(
  (error) => error instanceof ConversionError || hasCode(error, 'MANIFEST_UNKNOWN'),
);

function notAcceptable({ request, info: { mediaType } }: StoredManifestRequest): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `The image is stored as ${formPhrase(mediaType)}, and this client (${request.client.name}) reads no form ` +
      'that it can be converted to. Use a newer client, or name more types in Accept.',
    { detail: { stored: mediaType, accepted: [...request.capabilities.types.keys()].slice(0, 20) } },
  );
}
