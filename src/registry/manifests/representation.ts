import type { Digest } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { RegistryError } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { keepsImages, type ManifestInfo, type Selection } from '../../negotiation/negotiate.ts';
import { hasAttestations, hasBothCompressions, hasInnerIndex } from '../../negotiation/stored-entries.ts';
import type { ClientRequest } from '../client-request.ts';
import type { ContentStore } from '../content-store.ts';
import type { LayerLabels } from '../layer-labels.ts';
import { needsDecompression, platformFor } from './client-platform.ts';
import type { ManifestConverter } from './converter.ts';
import type { DerivedManifest } from './derived-manifest.ts';
import type { SelectedManifest, StoredManifestRequest } from './manifest-selector.ts';
import { type ManifestRecipe, manifestRecipe } from './recipe.ts';
import type { WholeLists } from './whole-lists.ts';

/** A manifest as a client gets it. */
export interface Representation {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly body: Uint8Array;
  /** The stored manifest that it is, or was made from. */
  readonly source: Digest;
  /** Absent where stored bytes go out for the very reference requested. */
  readonly conversion:
    | { readonly from: string; readonly to: string; readonly platform?: Platform }
    | undefined;
  readonly losses: readonly Loss[];
  /** As of a `DerivedManifest`. */
  readonly complete: boolean;
  /** The digests that upstream does not have: its own, and those that it names. Each of them has a recipe. */
  readonly derived: readonly Digest[];
  /** Whether another representation has taken its place, as far as this replica knows. Absent where none can. */
  readonly isSuperseded?: () => boolean;
  /** Whether it may be of use to make it again: another replica may know what takes its place, or it can be found out. */
  readonly isProvisional?: () => boolean;
}

export interface RepresenterOptions {
  readonly content: Pick<ContentStore, 'getManifest'>;
  readonly converter: ManifestConverter;
  readonly wholeLists: WholeLists;
  readonly labels: LayerLabels;
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
  /** Sends converted manifests for a digest, too. */
  readonly convertByDigest: boolean;
}

export interface Representer {
  /**
   * Reads or converts the selected manifest.
   * @throws RegistryError; UNSUPPORTED where a digest is requested that this client does not read. ConversionError.
   */
  represent(stored: StoredManifestRequest, selected: SelectedManifest): Promise<Representation>;
}

export function createRepresenter(options: RepresenterOptions): Representer {
  const { content, converter, wholeLists, labels, convertByDigest } = options;

  function recipeFor(
    { request, reference, root }: StoredManifestRequest,
    selected: SelectedManifest,
  ): ManifestRecipe | undefined {
    const { digest: source, info, selection } = selected;
    if (selection.kind === 'stored') return undefined;
    // Schema 1 that is only signed keeps the tag that it was stored with.
    const isTagged = info.mediaType !== mediaTypes.schema1 && reference.kind === 'tag';
    return manifestRecipe({
      source,
      sourceType: info.mediaType,
      root,
      kind: selection.kind,
      form: selection.form,
      tag: isTagged ? reference.tag : '',
      unpackZstd: needsDecompression(request),
      ...(!request.capabilities.nestedIndex && hasInnerIndex(info) ? { flatten: true } : {}),
      ...(hasBothCompressions(info) ? { preferGzip: true } : {}),
      ...droppedAttestations(request, info, selection),
      ...(imageOf(selected)?.info.mislabelled ? { probeLayers: true } : {}),
      layersOf: formatPlatform(platformFor(options, request)),
    });
  }

  async function make(stored: StoredManifestRequest, selected: SelectedManifest): Promise<Representation> {
    const { request, repository, root, info } = stored;
    const platform = selected.digest === root ? undefined : platformFor(options, request);
    const recipe = recipeFor(stored, selected);
    if (recipe) {
      const whole = recipe.kind === 'index' ? wholeLists.inMemory(repository, recipe) : undefined;
      const derived = whole ?? (await converter.convert(repository, recipe, request.context));
      return derived.platformSpecific
        ? shortOrWhole(stored, recipe, derived)
        : representationOf(derived, info.mediaType, platform);
    }
    const { bytes } = await content.getManifest(repository, selected.digest, request.context);
    return storedRepresentation(selected, bytes, info.mediaType, platform);
  }

  /** The list of the client's platform alone, until that of all platforms is known. */
  async function shortOrWhole(
    { request, repository, info }: StoredManifestRequest,
    recipe: ManifestRecipe,
    short: DerivedManifest,
  ): Promise<Representation> {
    const whole = await wholeLists.find(repository, recipe, request.context);
    if (whole) return representationOf(whole, info.mediaType);
    const isSuperseded = () => wholeLists.isKnown(repository, recipe);
    return { ...representationOf(short, info.mediaType), isSuperseded, isProvisional: () => true };
  }

  /** The first bytes of layers may show that this client cannot read the image: a later request then gets another. */
  function withLabelsChecked(
    { request, repository }: StoredManifestRequest,
    selected: SelectedManifest,
    representation: Representation,
  ): Representation {
    const image = imageOf(selected);
    const isReadable = image === undefined || image.info.zstd || image.info.opaque;
    if (isReadable || !needsDecompression(request)) return representation;
    if (labels.areChecked(repository, image.digest)) return representation;
    if (!labels.check(repository, image.digest, request.context)) return representation;
    const { isSuperseded, isProvisional } = representation;
    return {
      ...representation,
      isSuperseded: () => isSuperseded?.() === true || labels.areWrong(repository, image.digest),
      isProvisional: () => isProvisional?.() === true || !labels.areChecked(repository, image.digest),
    };
  }

  return {
    async represent(stored, selected) {
      const representation = withLabelsChecked(stored, selected, await make(stored, selected));
      // Signing what is stored unsigned does not change its digest.
      const isSame = stored.reference.kind === 'tag' || representation.digest === stored.root;
      if (isSame || convertByDigest) return representation;
      throw otherForm(stored, representation);
    },
  };
}

/** The image that the client gets, or will choose from the index, as far as it is known. */
function imageOf({ digest, info, image }: SelectedManifest) {
  return info.entries ? image : { digest, info };
}

/** @param from the media type of the stored manifest that the reference names. */
export function representationOf(
  derived: DerivedManifest,
  from: string,
  platform?: Platform,
): Representation {
  const { mediaType, digest, body, source, losses, complete } = derived;
  const conversion = { from, to: mediaType, ...(platform ? { platform } : {}) };
  const made = derived.recipes.map(([each]) => each);
  return { mediaType, digest, body, source, conversion, losses, complete, derived: made };
}

function droppedAttestations(
  { capabilities }: ClientRequest,
  info: ManifestInfo,
  selection: Selection,
): Pick<ManifestRecipe, 'dropAttestations'> {
  if (keepsImages(selection)) return { dropAttestations: 'alone' };
  const isAsked = capabilities.limits?.noAttestations && (hasAttestations(info) || hasInnerIndex(info));
  return isAsked ? { dropAttestations: 'also' } : {};
}

function storedRepresentation(
  { digest, info: { mediaType } }: SelectedManifest,
  body: Uint8Array,
  from: string,
  platform: Platform | undefined,
): Representation {
  const conversion = platform ? { from, to: mediaType, platform } : undefined;
  return { mediaType, digest, body, source: digest, conversion, losses: [], complete: true, derived: [] };
}

/** The error for a digest whose form the client does not read. @param representation the same image in another form. */
export function otherForm(
  { request, repository, root, info }: StoredManifestRequest,
  { digest, mediaType }: Representation,
): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${root} is ${formPhrase(info.mediaType)}, which this client (${request.client.name}) does not read. ` +
      `Pull ${repository}@${digest} instead, or pull by tag: it is the same image as ` +
      `${formPhrase(mediaType)}.`,
    { detail: { stored: info.mediaType, equivalent: digest } },
  );
}
