import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { indexFormOf, type ManifestInfo, negotiate, type Selection } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Registry } from '../registry.ts';
import { needsDecompression, platformFor } from './client-platform.ts';
import type { DerivedManifest } from './derived-manifest.ts';
import { manifestRecipe } from './recipe.ts';

/** A manifest as a client is given it. */
export interface Representation {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly body: Uint8Array;
  /** The stored manifest that it is, or was made from. */
  readonly source: Digest;
  /** Absent where stored bytes go out for the very reference asked for. */
  readonly conversion:
    | { readonly from: string; readonly to: string; readonly platform?: Platform }
    | undefined;
  readonly losses: readonly Loss[];
  /** As of a `Product`. */
  readonly complete: boolean;
  /** What upstream does not have of it, itself and what it names: of each there is a recipe. */
  readonly derived: readonly Digest[];
}

/** One request for one manifest whose root is known, on its way through the steps below. */
export interface ResolvedRequest {
  readonly registry: Registry;
  readonly request: ClientRequest;
  readonly name: RepositoryName;
  readonly reference: Reference;
  /** What upstream calls the manifest that the reference names, and what that is. */
  readonly root: Digest;
  readonly info: ManifestInfo;
}

/** Decides what this client gets for what is stored, and makes it. @throws RegistryError; ConversionError. */
export function selectRepresentation(resolved: ResolvedRequest): Promise<Representation> {
  return resolved.reference.kind === 'tag' ? byTag(resolved) : byDigest(resolved);
}

async function byTag(resolved: ResolvedRequest): Promise<Representation> {
  const selection = negotiate(resolved.info, resolved.request.capabilities, resolved.registry.pin);
  const readable = await withReadableLayers(resolved, selection);
  // Each child of an index that is fetched counts as a pull on Docker Hub.
  const one = readable.kind === 'index' && resolved.registry.servesOneOfList(resolved.request.context);
  return follow(resolved, resolved.root, one ? { kind: 'choose', because: 'one-of-list' } : readable);
}

/**
 * The entries of an index do not say how layers are packed. For a client that cannot unpack zstd, the image that it
 * will choose is looked at; where that has such layers, the index must be written anew.
 */
async function withReadableLayers(resolved: ResolvedRequest, selection: Selection): Promise<Selection> {
  const { registry, request, name, root, info } = resolved;
  const indexForm = indexFormOf(info.mediaType);
  const concerned = selection.kind === 'stored' && info.entries && needsDecompression(request);
  if (!concerned || !indexForm) return selection;
  const image = await registry.platformSelector
    .select(name, root, platformFor(registry, request), request.context)
    .catch(noneFits);
  const unreadable = image && (await formOf(resolved, image)).zstd;
  return unreadable ? { kind: 'index', form: indexForm, because: 'zstd-inside' } : selection;
}

/** A client that reads the index finds that out for itself, and says so in its own words. */
function noneFits(error: unknown): undefined {
  if (error instanceof ConversionError && error.code === 'NO_PLATFORM') return undefined;
  throw error;
}

/** A digest names bytes, so nothing else is sent for it, unless the route says so. */
async function byDigest(resolved: ResolvedRequest): Promise<Representation> {
  const { registry, request, info } = resolved;
  // containerd names the type that a HEAD told it and a wildcard: what is inside is for it to judge.
  const { types } = request.capabilities;
  const namesNothingElse = types.size === 1 && !info.zstd;
  const named = types.has(info.mediaType) && (info.entries !== undefined || namesNothingElse);
  const selection = negotiate(info, request.capabilities, 'auto');
  if (selection.kind === 'stored') return follow(resolved, resolved.root, selection);
  if (named) return follow(resolved, resolved.root, { kind: 'stored', because: 'digest-named' });
  const outcome = await byTag(resolved);
  // Signing what is stored unsigned does not change its digest.
  if (registry.convertByDigest || outcome.digest === resolved.root) return outcome;
  throw new RegistryError(
    'UNSUPPORTED',
    `${resolved.root} is ${formPhrase(info.mediaType)}, which this client (${request.client.name}) does not read. ` +
      `Pull ${resolved.name}@${outcome.digest} instead, or pull by tag: it is the same image as ` +
      `${formPhrase(outcome.mediaType)}.`,
    { detail: { stored: info.mediaType, equivalent: outcome.digest } },
  );
}

async function follow(
  resolved: ResolvedRequest,
  digest: Digest,
  selection: Selection,
): Promise<Representation> {
  const { registry, request, name, reference, root } = resolved;
  request.onSelection?.(digest, selection);
  switch (selection.kind) {
    case 'stored':
      return storedAs(resolved, digest);
    case 'image':
    case 'index': {
      const recipe = manifestRecipe({
        source: digest,
        sourceType: (await formOf(resolved, digest)).mediaType,
        root,
        kind: selection.kind,
        form: selection.form,
        tag: (await namesTag(resolved, digest)) && reference.kind === 'tag' ? reference.tag : '',
        unpackZstd: needsDecompression(request),
        layersOf: formatPlatform(platformFor(registry, request)),
      });
      const from = (await formOf(resolved, root)).mediaType;
      return representationOf(
        await registry.converter.convert(name, recipe, request.context),
        from,
        chosenPlatform(resolved, digest),
      );
    }
    case 'choose': {
      const image = await registry.platformSelector.select(
        name,
        digest,
        platformFor(resolved.registry, resolved.request),
        request.context,
      );
      const form = await formOf(resolved, image);
      return follow(resolved, image, negotiate(form, request.capabilities, registry.pin));
    }
    case 'refuse':
      throw refusal(resolved);
  }
}

/** Schema 1 that is only signed keeps the tag that it was stored with. */
async function namesTag(resolved: ResolvedRequest, digest: Digest): Promise<boolean> {
  return (await formOf(resolved, digest)).mediaType !== mediaTypes.schema1;
}

function chosenPlatform(resolved: ResolvedRequest, digest: Digest): Platform | undefined {
  return digest === resolved.root ? undefined : platformFor(resolved.registry, resolved.request);
}

async function storedAs(resolved: ResolvedRequest, digest: Digest): Promise<Representation> {
  const { bytes } = await resolved.registry.content.getManifest(
    resolved.name,
    digest,
    resolved.request.context,
  );
  const { mediaType } = await formOf(resolved, digest);
  const platform = chosenPlatform(resolved, digest);
  const from = resolved.info.mediaType;
  return {
    mediaType,
    digest,
    body: bytes,
    source: digest,
    conversion: platform ? { from, to: mediaType, platform } : undefined,
    losses: [],
    complete: true,
    derived: [],
  };
}

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

function formOf(
  { registry, request, name, root, info }: ResolvedRequest,
  digest: Digest,
): Promise<ManifestInfo> | ManifestInfo {
  return digest === root ? info : registry.content.getManifestInfo(name, digest, request.context);
}

function refusal(resolved: ResolvedRequest): RegistryError {
  const { mediaType } = resolved.info;
  return new RegistryError(
    'UNSUPPORTED',
    `The image is stored as ${formPhrase(mediaType)}, and this client (${resolved.request.client.name}) reads no form ` +
      'that it can be converted to. Use a newer client, or name more types in Accept.',
    { detail: { stored: mediaType, accepted: [...resolved.request.capabilities.types].slice(0, 20) } },
  );
}
