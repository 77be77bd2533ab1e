import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Loss } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { Failure } from '../../errors.ts';
import { formPhrase } from '../../negotiation/format-names.ts';
import { type Decision, decide, indexFormOf, type StoredForm } from '../../negotiation/negotiate.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Route } from '../registry.ts';
import { needsUnpacking, platformFor } from './client-platform.ts';
import type { Product } from './derived-manifest.ts';
import { manifestRecipe } from './recipe.ts';

/** A manifest as a client is given it. */
export interface GivenManifest {
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
  readonly made: readonly Digest[];
}

/** One request for one manifest whose root is known, on its way through the steps below. */
export interface Asked {
  readonly route: Route;
  readonly request: ClientRequest;
  readonly name: RepositoryName;
  readonly reference: Reference;
  /** What upstream calls the manifest that the reference names, and what that is. */
  readonly root: Digest;
  readonly form: StoredForm;
}

/** Decides what this client gets for what is stored, and makes it. @throws Failure; ConversionError. */
export function giveManifest(asked: Asked): Promise<GivenManifest> {
  return asked.reference.kind === 'tag' ? byTag(asked) : byDigest(asked);
}

async function byTag(asked: Asked): Promise<GivenManifest> {
  const decision = decide(asked.form, asked.request.reads, asked.route.pin);
  const readable = await withReadableLayers(asked, decision);
  // Each child of an index that is fetched counts as a pull on Docker Hub.
  const one = readable.kind === 'index' && asked.route.oneOfList(asked.request.caller);
  return follow(asked, asked.root, one ? { kind: 'choose', because: 'one-of-list' } : readable);
}

/**
 * The entries of an index do not say how layers are packed. For a client that cannot unpack zstd, the image that it
 * will choose is looked at; where that has such layers, the index must be written anew.
 */
async function withReadableLayers(asked: Asked, decision: Decision): Promise<Decision> {
  const { route, request, name, root, form } = asked;
  const indexForm = indexFormOf(form.mediaType);
  const concerned = decision.kind === 'stored' && form.entries && needsUnpacking(request);
  if (!concerned || !indexForm) return decision;
  const image = await route.chooser
    .choose(name, root, platformFor(route, request), request.caller)
    .catch(noneFits);
  const unreadable = image && (await formOf(asked, image)).zstd;
  return unreadable ? { kind: 'index', form: indexForm, because: 'zstd-inside' } : decision;
}

/** A client that reads the index finds that out for itself, and says so in its own words. */
function noneFits(error: unknown): undefined {
  if (error instanceof ConversionError && error.code === 'NO_PLATFORM') return undefined;
  throw error;
}

/** A digest names bytes, so nothing else is sent for it, unless the route says so. */
async function byDigest(asked: Asked): Promise<GivenManifest> {
  const { route, request, form } = asked;
  // containerd names the type that a HEAD told it and a wildcard: what is inside is for it to judge.
  const { types } = request.reads;
  const namesNothingElse = types.size === 1 && !form.zstd;
  const named = types.has(form.mediaType) && (form.entries !== undefined || namesNothingElse);
  const decision = decide(form, request.reads, 'auto');
  if (decision.kind === 'stored') return follow(asked, asked.root, decision);
  if (named) return follow(asked, asked.root, { kind: 'stored', because: 'digest-named' });
  const outcome = await byTag(asked);
  // Signing what is stored unsigned does not change its digest.
  if (route.convertByDigest || outcome.digest === asked.root) return outcome;
  throw new Failure(
    'UNSUPPORTED',
    `${asked.root} is ${formPhrase(form.mediaType)}, which this client (${request.client.name}) does not read. ` +
      `Pull ${asked.name}@${outcome.digest} instead, or pull by tag: it is the same image as ` +
      `${formPhrase(outcome.mediaType)}.`,
    { detail: { stored: form.mediaType, equivalent: outcome.digest } },
  );
}

async function follow(asked: Asked, digest: Digest, decision: Decision): Promise<GivenManifest> {
  const { route, request, name, reference, root } = asked;
  request.decided?.(digest, decision);
  switch (decision.kind) {
    case 'stored':
      return storedAs(asked, digest);
    case 'image':
    case 'index': {
      const recipe = manifestRecipe({
        source: digest,
        sourceType: (await formOf(asked, digest)).mediaType,
        root,
        kind: decision.kind,
        form: decision.form,
        tag: (await namesTag(asked, digest)) && reference.kind === 'tag' ? reference.tag : '',
        unpackZstd: needsUnpacking(request),
        layersOf: formatPlatform(platformFor(route, request)),
      });
      const from = (await formOf(asked, root)).mediaType;
      return asGiven(
        await route.workshop.make(name, recipe, request.caller),
        from,
        chosenPlatform(asked, digest),
      );
    }
    case 'choose': {
      const image = await route.chooser.choose(
        name,
        digest,
        platformFor(asked.route, asked.request),
        request.caller,
      );
      const form = await formOf(asked, image);
      return follow(asked, image, decide(form, request.reads, route.pin));
    }
    case 'refuse':
      throw refusal(asked);
  }
}

/** Schema 1 that is only signed keeps the tag that it was stored with. */
async function namesTag(asked: Asked, digest: Digest): Promise<boolean> {
  return (await formOf(asked, digest)).mediaType !== mediaTypes.schema1;
}

function chosenPlatform(asked: Asked, digest: Digest): Platform | undefined {
  return digest === asked.root ? undefined : platformFor(asked.route, asked.request);
}

async function storedAs(asked: Asked, digest: Digest): Promise<GivenManifest> {
  const { bytes } = await asked.route.content.manifest(asked.name, digest, asked.request.caller);
  const { mediaType } = await formOf(asked, digest);
  const platform = chosenPlatform(asked, digest);
  const from = asked.form.mediaType;
  return {
    mediaType,
    digest,
    body: bytes,
    source: digest,
    conversion: platform ? { from, to: mediaType, platform } : undefined,
    losses: [],
    complete: true,
    made: [],
  };
}

export function asGiven(product: Product, from: string, platform?: Platform): GivenManifest {
  const { mediaType, digest, body, source, losses, complete } = product;
  const conversion = { from, to: mediaType, ...(platform ? { platform } : {}) };
  const made = product.recipes.map(([each]) => each);
  return { mediaType, digest, body, source, conversion, losses, complete, made };
}

function formOf(
  { route, request, name, root, form }: Asked,
  digest: Digest,
): Promise<StoredForm> | StoredForm {
  return digest === root ? form : route.content.form(name, digest, request.caller);
}

function refusal(asked: Asked): Failure {
  const { mediaType } = asked.form;
  return new Failure(
    'UNSUPPORTED',
    `The image is stored as ${formPhrase(mediaType)}, and this client (${asked.request.client.name}) reads no form ` +
      'that it can be converted to. Use a newer client, or name more types in Accept.',
    { detail: { stored: mediaType, accepted: [...asked.request.reads.types].slice(0, 20) } },
  );
}
