import type { Digest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import type { Loss } from '../../converters/model.ts';
import type { Platform } from '../../converters/platform.ts';
import type { Reference, RepositoryName } from '../../converters/reference.ts';
import type { Chooser } from '../derived/chooser.ts';
import type { Product } from '../derived/product.ts';
import type { ManifestRecipe } from '../derived/recipe.ts';
import type { Workshop } from '../derived/workshop.ts';
import { Failure } from '../errors.ts';
import { type Decision, decide, type Pin } from '../negotiation/decide.ts';
import { formPhrase } from '../negotiation/form-names.ts';
import type { Content } from '../stored/content.ts';
import type { Resolver } from '../stored/resolve.ts';
import type { ClientRequest } from './client-request.ts';

export interface ManifestRoute {
  readonly resolver: Resolver;
  readonly content: Content;
  readonly workshop: Workshop;
  readonly chooser: Chooser;
  readonly pin: Pin;
  /** For clients that cannot choose and do not say. */
  readonly platform: Platform;
  readonly convertByDigest: boolean;
}

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
}

/** One request for one manifest, on its way through the steps below. */
interface Asked {
  readonly route: ManifestRoute;
  readonly request: ClientRequest;
  readonly name: RepositoryName;
  readonly reference: Reference;
  /** What upstream calls the manifest that the reference names. */
  readonly root: Digest;
  readonly contentType: string;
}

/** The way of a manifest request: resolve with the client's right, look at what is stored, decide, make, answer. */
export async function outcomeFor(
  route: ManifestRoute,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<Outcome> {
  const recipe =
    reference.kind === 'digest' ? await route.workshop.recipeOf(name, reference.digest) : undefined;
  if (recipe?.product === 'manifest') return fromRecipe(route, request, name, recipe);
  const { digest, contentType, staleAge } = await route.resolver.resolve(name, reference, request.caller);
  const asked: Asked = { route, request, name, reference, root: digest, contentType };
  const outcome = reference.kind === 'tag' ? await byTag(asked) : await byDigest(asked);
  return { ...outcome, staleAge };
}

/** A digest of ours: the right to it is the right to what it was made from. */
async function fromRecipe(
  route: ManifestRoute,
  request: ClientRequest,
  name: RepositoryName,
  recipe: ManifestRecipe,
): Promise<Outcome> {
  const root: Reference = { kind: 'digest', digest: recipe.root };
  const { staleAge } = await route.resolver.resolve(name, root, request.caller);
  const { mediaType } = await route.content.form(name, recipe.source, request.caller);
  const product = await route.workshop.make(name, recipe, request.caller);
  return { ...made(product, mediaType), staleAge };
}

async function byTag(asked: Asked): Promise<Outcome> {
  const { mediaType, entries } = await formOf(asked, asked.root);
  return follow(asked, asked.root, decide({ mediaType, entries }, asked.request.reads, asked.route.pin));
}

/** A digest names bytes, so nothing else is sent for it, unless the route says so. */
async function byDigest(asked: Asked): Promise<Outcome> {
  const { route, request } = asked;
  const form = await formOf(asked, asked.root);
  const plain = decide(form, request.reads, 'auto');
  if (plain.kind === 'stored') return follow(asked, asked.root, plain);
  const outcome = await byTag(asked);
  if (route.convertByDigest) return outcome;
  throw new Failure(
    'UNSUPPORTED',
    `${asked.root} is ${formPhrase(form.mediaType)}, which this client (${request.client.name}) does not read. ` +
      `Pull ${asked.name}@${outcome.digest} instead, or pull by tag: it is the same image as ` +
      `${formPhrase(outcome.mediaType)}.`,
    { detail: { stored: form.mediaType, equivalent: outcome.digest } },
  );
}

async function follow(asked: Asked, digest: Digest, decision: Decision): Promise<Outcome> {
  const { route, request, name, reference, root } = asked;
  switch (decision.kind) {
    case 'stored':
      return storedAs(asked, digest);
    case 'image':
    case 'index': {
      const tag = decision.form === 'schema1' && reference.kind === 'tag' ? reference.tag : '';
      const recipe: ManifestRecipe = {
        product: 'manifest',
        source: digest,
        root,
        kind: decision.kind,
        form: decision.form,
        tag,
        unpackZstd: !request.reads.zstd && !request.reads.anything,
      };
      const from = (await formOf(asked, root)).mediaType;
      return made(
        await route.workshop.make(name, recipe, request.caller),
        from,
        chosenPlatform(asked, digest),
      );
    }
    case 'choose': {
      const image = await route.chooser.choose(name, digest, platformFor(asked), request.caller);
      const form = await formOf(asked, image);
      return follow(asked, image, decide(form, request.reads, route.pin));
    }
    case 'refuse':
      throw await refusal(asked);
  }
}

/** The client's platform where its User-Agent tells; a route of the same architecture may know the variant too. */
function platformFor({ route, request }: Asked): Platform {
  const said = request.client.platform;
  if (!said) return route.platform;
  const same = said.os === route.platform.os && said.architecture === route.platform.architecture;
  return same ? route.platform : said;
}

function chosenPlatform(asked: Asked, digest: Digest): Platform | undefined {
  return digest === asked.root ? undefined : platformFor(asked);
}

async function storedAs(asked: Asked, digest: Digest): Promise<Outcome> {
  const { bytes } = await asked.route.content.manifest(asked.name, digest, asked.request.caller);
  const { mediaType } = await formOf(asked, digest);
  const platform = chosenPlatform(asked, digest);
  const from = platform ? (await formOf(asked, asked.root)).mediaType : mediaType;
  return {
    mediaType,
    digest,
    body: bytes,
    source: digest,
    conversion: platform ? { from, to: mediaType, platform } : undefined,
    losses: [],
    staleAge: undefined,
  };
}

function made(product: Product, from: string, platform?: Platform): Outcome {
  const { mediaType, digest, body, source, losses } = product;
  const conversion = { from, to: mediaType, ...(platform ? { platform } : {}) };
  return { mediaType, digest, body, source, conversion, losses, staleAge: undefined };
}

/**
 * What is stored under a digest. A document of no known dialect has no form of ours, and is given as it is to who
 * names its type or takes anything.
 */
async function formOf({ route, request, name, root, contentType }: Asked, digest: Digest) {
  try {
    return await route.content.form(name, digest, request.caller);
  } catch (error) {
    const foreign = error instanceof ConversionError && error.code === 'UNREADABLE' && digest === root;
    const wanted = request.reads.anything || request.reads.types.has(contentType);
    if (foreign && wanted && contentType !== '') return { mediaType: contentType, entries: undefined };
    throw error;
  }
}

async function refusal(asked: Asked): Promise<Failure> {
  const { mediaType } = await formOf(asked, asked.root);
  return new Failure(
    'UNSUPPORTED',
    `The image is stored as ${formPhrase(mediaType)}, and this client (${asked.request.client.name}) reads no form ` +
      'that it can be converted to. Use a newer client, or name more types in Accept.',
    { detail: { stored: mediaType, accepted: [...asked.request.reads.types].slice(0, 20) } },
  );
}
