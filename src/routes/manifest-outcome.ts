import type { Digest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { bareMediaType, mediaTypes } from '../../converters/media-types.ts';
import type { Loss } from '../../converters/model.ts';
import { formatPlatform, type Platform } from '../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import type { Product } from '../derived/product.ts';
import { type ManifestRecipe, manifestRecipe } from '../derived/recipe.ts';
import { Failure } from '../errors.ts';
import { type Decision, decide, indexFormOf, type StoredForm } from '../negotiation/decide.ts';
import { formPhrase } from '../negotiation/form-names.ts';
import type { Route } from '../route.ts';
import type { Resolved } from '../stored/resolve.ts';
import { hintsFor, needsUnpacking, platformFor } from './client-hints.ts';
import type { ClientRequest } from './client-request.ts';

/** What will be sent. */
export interface Outcome {
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
  /** Seconds, where upstream fails and an older public answer stands in. */
  readonly staleAge: number | undefined;
  /** Upstream gives what it rests on to anyone. */
  readonly public: boolean;
}

/** The same without what the proof of the right to it says. */
type Content = Omit<Outcome, 'staleAge' | 'public'>;

/** One request for one manifest, on its way through the steps below. */
interface Asked {
  readonly route: Route;
  readonly request: ClientRequest;
  readonly name: RepositoryName;
  readonly reference: Reference;
  /** What upstream calls the manifest that the reference names, and what that is. */
  readonly root: Digest;
  readonly form: StoredForm;
}

/** The way of a manifest request: resolve with the client's right, look at what is stored, decide, make, answer. */
export async function outcomeFor(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<Outcome> {
  const known = await recipeFor(route, request, name, reference);
  const remade = known && (await fromRecipe(route, request, name, known).catch(rootIsGone));
  if (remade && isNamed(remade, reference)) return remade;
  const found = await resolveOrSearch(route, request, name, reference, known?.root);
  if ('product' in found) return fromRecipe(route, request, name, found);
  const { digest, staleAge, public: isPublic } = found;
  const form = await rootForm(route, request, name, found).catch((error: unknown) => {
    // Upstream named what it cannot give: it is asked anew next time.
    route.resolver.forget(name, reference, request.caller);
    throw error;
  });
  if (route.refusesUnsigned && form.mediaType === mediaTypes.schema1) throw unsigned(name, digest);
  const asked: Asked = { route, request, name, reference, root: digest, form };
  if (reference.kind === 'tag') route.served.note(name, reference.tag);
  const outcome = reference.kind === 'tag' ? await byTag(asked) : await byDigest(asked);
  return { ...outcome, staleAge, public: isPublic };
}

/** What a recipe was made from may be deleted while another index still names the same image. */
export function rootIsGone(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'MANIFEST_UNKNOWN') return undefined;
  throw error;
}

/** A digest names bytes: what was made by an older version's recipe may be other bytes today. */
function isNamed({ digest }: Outcome, reference: Reference): boolean {
  return reference.kind === 'tag' || reference.digest === digest;
}

async function recipeFor(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<ManifestRecipe | undefined> {
  if (reference.kind === 'tag') return undefined;
  const recipe = await route.workshop.recipeOf(name, reference.digest, request.caller);
  return recipe?.product === 'manifest' ? recipe : undefined;
}

/** What upstream does not know may be a digest that another replica gave out, or this one before a restart. */
async function resolveOrSearch(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  deadRoot: Digest | undefined,
): Promise<Resolved | ManifestRecipe> {
  try {
    return await route.resolver.resolve(name, reference, request.caller);
  } catch (error) {
    const unknown = error instanceof Failure && error.code === 'MANIFEST_UNKNOWN';
    if (reference.kind === 'tag' || !unknown) throw error;
    const hints = { ...hintsFor(route, request), deadRoot };
    const found = await route.search.find(name, reference.digest, hints, request.caller);
    if (found?.product !== 'manifest') throw error;
    return found;
  }
}

/** A digest of ours: the right to it is the right to what it was made from. */
async function fromRecipe(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  recipe: ManifestRecipe,
): Promise<Outcome> {
  const root: Reference = { kind: 'digest', digest: recipe.root };
  const { staleAge, public: isPublic } = await route.resolver.resolve(name, root, request.caller);
  const product = await route.workshop.make(name, recipe, request.caller);
  return { ...made(product, product.from), staleAge, public: isPublic };
}

async function byTag(asked: Asked): Promise<Content> {
  const decision = decide(asked.form, asked.request.reads, asked.route.pin);
  const readable = await withReadableLayers(asked, decision);
  // Each child of an index that is fetched counts as a pull on Docker Hub.
  const one = readable.kind === 'index' && asked.route.oneOfList();
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
async function byDigest(asked: Asked): Promise<Content> {
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

async function follow(asked: Asked, digest: Digest, decision: Decision): Promise<Content> {
  const { route, request, name, reference, root } = asked;
  request.decided?.(digest, decision);
  switch (decision.kind) {
    case 'stored':
      return storedAs(asked, digest);
    case 'image':
    case 'index': {
      const recipe = manifestRecipe({
        source: digest,
        root,
        kind: decision.kind,
        form: decision.form,
        tag: (await namesTag(asked, digest)) && reference.kind === 'tag' ? reference.tag : '',
        unpackZstd: needsUnpacking(request),
        layersOf: formatPlatform(platformFor(route, request)),
      });
      const from = (await formOf(asked, root)).mediaType;
      return made(
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

async function storedAs(asked: Asked, digest: Digest): Promise<Content> {
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
  };
}

function made(product: Product, from: string, platform?: Platform): Content {
  const { mediaType, digest, body, source, losses } = product;
  const conversion = { from, to: mediaType, ...(platform ? { platform } : {}) };
  return { mediaType, digest, body, source, conversion, losses };
}

function formOf(
  { route, request, name, root, form }: Asked,
  digest: Digest,
): Promise<StoredForm> | StoredForm {
  return digest === root ? form : route.content.form(name, digest, request.caller);
}

/**
 * What is stored under a reference. A document of no known dialect has no form of ours, and is given as it is to who
 * names its type or takes anything.
 */
async function rootForm(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  { digest, contentType }: Resolved,
): Promise<StoredForm> {
  try {
    return await route.content.form(name, digest, request.caller);
  } catch (error) {
    const foreign = error instanceof ConversionError && error.code === 'UNKNOWN_DIALECT';
    const wanted = request.reads.anything || request.reads.types.has(bareMediaType(contentType));
    if (!foreign || !wanted || contentType === '') throw error;
    return { mediaType: bareMediaType(contentType), entries: undefined, zstd: false, pure: true };
  }
}

function unsigned(name: RepositoryName, digest: Digest): Failure {
  return new Failure(
    'UNSUPPORTED',
    `${name}@${digest} is stored as schema 1 without a signature, and this proxy is set to refuse such images ` +
      '(REGSHIFT_UNSIGNED_SCHEMA1). Push the image again with a newer client.',
  );
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
