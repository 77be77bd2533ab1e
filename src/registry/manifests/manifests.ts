import { ConversionError } from '../../../converters/errors.ts';
import { bareMediaType } from '../../../converters/media-types.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { withDeadline } from '../../concurrency/deadline.ts';
import { hasCode, ignoring, isUnsupported, isUpstreamFailing } from '../../errors.ts';
import type { ManifestInfo } from '../../negotiation/negotiate.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import type { Resolution } from '../../upstream/resolution.ts';
import { standInMs } from '../../upstream/timeouts.ts';
import { type ClientRequest, lastingLogin } from '../client-request.ts';
import type { ContentStore } from '../content-store.ts';
import { isFaultOfImage } from '../faults-of-image.ts';
import { opaqueManifest } from '../manifest-info.ts';
import { resolveRoot } from '../resolve-root.ts';
import type { Freshness } from './freshness.ts';
import type { KeptManifest } from './kept-manifests.ts';
import { createManifestFinder, type ManifestFinderOptions } from './manifest-finder.ts';
import {
  createManifestSelector,
  type ManifestRequest,
  type ManifestSelectorOptions,
  pinFor,
  type StoredManifestRequest,
} from './manifest-selector.ts';
import type { ManifestRecipe } from './recipe.ts';
import {
  createRepresenter,
  otherForm,
  type Representation,
  type RepresenterOptions,
  representationOf,
} from './representation.ts';
import { createRevalidation, type RevalidationOptions } from './revalidation.ts';

/** A manifest for a client, and how its response may be reused. */
export interface ManifestResult extends Representation {
  /** Seconds since upstream was asked, where upstream fails and an older public resolution stands in. */
  readonly age: number | undefined;
  /** Upstream gives the manifest that it was made from without a credential. */
  readonly public: boolean;
  /** How long the response may be sent again as it is; absent where it may not. */
  readonly freshness: Freshness | undefined;
}

export interface ManifestService {
  /**
   * Gets a manifest in the form that this client reads, with the client's own right to it.
   * @param repository by its name upstream. @throws RegistryError; ConversionError.
   */
  get(request: ClientRequest, repository: RepositoryName, reference: Reference): Promise<ManifestResult>;
}

export interface ManifestServiceOptions
  extends ManifestSelectorOptions,
    RepresenterOptions,
    RevalidationOptions,
    ManifestFinderOptions {
  readonly content: Pick<ContentStore, 'getManifest' | 'getManifestInfo' | 'hasManifest' | 'putManifest'>;
}

export function createManifestService(options: ManifestServiceOptions): ManifestService {
  const { resolver, content, converter, recentTags } = options;
  const finder = createManifestFinder(options);
  const selector = createManifestSelector(options);
  const representer = createRepresenter(options);
  const revalidation = createRevalidation(options);

  /** The recipe of a digest that regshift gave to a client, as far as this replica or a shared cache has it. */
  async function knownRecipe(wanted: ManifestRequest): Promise<ManifestRecipe | undefined> {
    const { request, repository, reference } = wanted;
    if (reference.kind === 'tag') return undefined;
    const recipe = await converter.recipeOf(repository, reference.digest, request.context);
    return recipe?.product === 'manifest' ? recipe : undefined;
  }

  /** Converts by a recipe: the right to its product is the right to its root. */
  async function fromRecipe(wanted: ManifestRequest, recipe: ManifestRecipe): Promise<ManifestResult> {
    const { request, repository, reference } = wanted;
    const { context } = request;
    const what = `manifest ${referenceText(reference)}`;
    const resolution = await resolveRoot(resolver, repository, recipe.root, what, context);
    const derived = await converter.convert(repository, recipe, context);
    const root: Reference = { kind: 'digest', digest: recipe.root };
    return resultOf(representationOf(derived, recipe.sourceType), resolution, { ...wanted, reference: root });
  }

  /** The manifest of a digest whose recipe fails, where upstream has it itself. @throws the failure, where not. */
  async function storedInstead(wanted: ManifestRequest, failure: unknown): Promise<ManifestResult> {
    if (!isFaultOfImage(failure)) throw failure;
    const { request, repository, reference } = wanted;
    const found = await resolver.resolve(repository, reference, request.context).catch(() => {
      throw failure;
    });
    return fromStored(wanted, found);
  }

  /** Reads the facts of the stored manifest, negotiates, and makes the representation. */
  async function fromStored(wanted: ManifestRequest, resolution: Resolution): Promise<ManifestResult> {
    const { request, repository, reference } = wanted;
    const info = await infoOf(content, wanted, resolution).catch((error: unknown) => {
      // Upstream named what it cannot give: it is asked anew next time, unless it only fails or limits.
      if (!isUpstreamFailing(error)) resolver.forget(repository, reference, request.context);
      throw error;
    });
    const stored = { ...wanted, root: resolution.digest, info };
    const representation = await selector
      .select(stored)
      .then((selected) => representer.represent(stored, selected))
      .catch((error: unknown) => asStored(stored, error));
    return resultOf(representation, resolution, wanted);
  }

  /**
   * A manifest in the form in which it was pushed, for a client that reads it. For other clients, the stored one is the
   * source: the right to the pushed digest is the right to the stored one.
   */
  async function fromKept(wanted: ManifestRequest, kept: KeptManifest): Promise<ManifestResult> {
    const { request, repository } = wanted;
    const { digest, manifest, stored } = kept;
    const ofStored = { ...wanted, reference: { kind: 'digest', digest: stored.digest } } as const;
    if (!(await content.hasManifest(repository, digest, request.context))) {
      await content.putManifest(repository, digest, manifest, request.context);
    }
    const info = await content.getManifestInfo(repository, digest, request.context);
    const asPushed = { ...wanted, root: digest, info };
    const selected = await selector.select(asPushed);
    const { kind, because } = selected.selection;
    // A signature does not change the digest of schema 1.
    if (kind === 'stored' || because === 'unsigned') {
      return resultOf(await representer.represent(asPushed, selected), stored, ofStored);
    }
    const other = await fromStored(ofStored, stored);
    if (options.convertByDigest) return other;
    throw otherForm(asPushed, other);
  }

  /**
   * An unknown client without `Accept` gets schema 1, as from docker-registry 2.8, and where that is impossible (a
   * chart, an image of 200 layers) the stored manifest. @throws the error, for any other client.
   */
  function asStored(stored: StoredManifestRequest, error: unknown): Promise<Representation> {
    const { capabilities, digestCapabilities } = stored.request;
    const isUnknown =
      digestCapabilities.wildcard && !capabilities.wildcard && pinFor(options.pin, stored.request) === 'auto';
    if (!isUnknown || !isUnsupported(error)) throw error;
    const selection = { kind: 'stored', because: 'takes-anything' } as const;
    return representer.represent(stored, { digest: stored.root, info: stored.info, selection });
  }

  function resultOf(
    representation: Representation,
    resolution: Resolution,
    { request, repository, reference }: ManifestRequest,
  ): ManifestResult {
    const { age, public: isPublic } = resolution;
    const resolved = { repository, reference, login: lastingLogin(request.context.credential) };
    const freshness = revalidation.freshnessOf(representation, resolution, resolved);
    return { ...representation, age, public: isPublic, freshness };
  }

  return {
    async get(request, repository, reference) {
      const wanted = { request, repository, reference };
      const recipe = await knownRecipe(wanted);
      const made = recipe && fromRecipe(wanted, recipe).catch(rootIsGone);
      const derived = await made?.catch((error: unknown) => storedInstead(wanted, error));
      if (derived && isNamedBy(derived, reference)) return derived;
      const found = await finder.find(wanted, recipe?.root);
      if ('product' in found) return fromRecipe(wanted, found);
      if ('stored' in found) return fromKept(wanted, found);
      if (reference.kind === 'tag') recentTags.record(repository, reference.tag);
      const stored = found.previous
        ? readInTime(content, wanted, found).then(() => fromStored(wanted, found))
        : fromStored(wanted, found);
      return stored.catch(async (error: unknown) => {
        const other = await finder.findOther(wanted, found, error);
        if (other === undefined) throw error;
        return fromStored(wanted, other);
      });
    },
  };
}

type StoredInfo = Pick<ContentStore, 'getManifestInfo'>;

/**
 * A document that regshift cannot read is sent as it is to a client that names its type or takes anything. A document
 * that can be read in two ways is not.
 */
async function infoOf(
  content: StoredInfo,
  { request, repository }: ManifestRequest,
  { digest, contentType }: Resolution,
): Promise<ManifestInfo> {
  try {
    return await content.getManifestInfo(repository, digest, request.context);
  } catch (error) {
    const { any, types } = request.digestCapabilities;
    const mediaType = bareMediaType(contentType);
    const isUnread = error instanceof ConversionError && unreadCodes.has(error.code);
    const isWanted = any || types.has(mediaType);
    if (!isUnread || !isWanted || contentType === '') throw error;
    return opaqueManifest(mediaType);
  }
}

/** Errors of a document whose bytes fit their digest: regshift does not read it, and other programs may. */
const unreadCodes: ReadonlySet<string> = new Set(['UNKNOWN_DIALECT', 'INVALID', 'UNREADABLE', 'LIMIT']);

/** Reads a manifest that another one can stand in for. @throws RegistryError if upstream takes too long, or fails. */
async function readInTime(
  content: StoredInfo,
  { request: { context }, repository }: ManifestRequest,
  { digest }: Resolution,
): Promise<void> {
  await withDeadline(standInMs, context.signal, (signal) =>
    content.getManifestInfo(repository, digest, { ...context, signal }),
  ).catch(ignoring((error) => !isUpstreamFailing(error)));
}

/** The manifest that something was made from may be deleted while another index still names the same image. */
const rootIsGone = ignoring((error) => hasCode(error, 'MANIFEST_UNKNOWN'));

/** A digest names bytes: a recipe of an older version may make other bytes today. */
function isNamedBy({ digest }: ManifestResult, reference: Reference): boolean {
  return reference.kind === 'tag' || reference.digest === digest;
}
