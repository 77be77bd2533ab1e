import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { bareMediaType } from '../../../converters/media-types.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { isUpstreamFailing, RegistryError } from '../../errors.ts';
import { readAccept } from '../../negotiation/accept.ts';
import type { ManifestInfo } from '../../negotiation/negotiate.ts';
import { unknownRequester } from '../../request/requester.ts';
import { referenceText } from '../../upstream/api/paths.ts';
import type { Credential } from '../../upstream/auth/credential.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import type { Resolution } from '../../upstream/resolution.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Registry } from '../registry.ts';
import { resolveRoot } from '../resolve-root.ts';
import { hintsFor } from './client-platform.ts';
import type { Freshness } from './freshness.ts';
import type { ManifestRecipe } from './recipe.ts';
import { type Representation, representationOf, selectRepresentation } from './representation.ts';

/** What will be sent, and what the proof of the right to it says. */
export interface ManifestResult extends Representation {
  /** Seconds, where upstream fails and an older public answer stands in. */
  readonly age: number | undefined;
  /** Upstream gives what it rests on to anyone. */
  readonly public: boolean;
  /** To give it again as it is; absent where that may not be. */
  readonly freshness: Freshness | undefined;
}

/** The way of a manifest request: resolve with the client's right, look at what is stored, decide, make, answer. */
export async function getManifest(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<ManifestResult> {
  const known = await recipeFor(registry, request, name, reference);
  const remade = known && (await fromRecipe(registry, request, name, reference, known).catch(rootIsGone));
  if (remade && isNamed(remade, reference)) return remade;
  const found = await resolveOrSearch(registry, request, name, reference, known?.root);
  if ('product' in found) return fromRecipe(registry, request, name, reference, found);
  if (reference.kind === 'tag') registry.recentTags.record(name, reference.tag);
  try {
    return await fromStored(registry, request, name, reference, found);
  } catch (error) {
    // Docker Hub tells a tag's new digest for free, and then may limit the pull of what it names.
    if (found.previous && isUpstreamFailing(error)) {
      return fromStored(registry, request, name, reference, found.previous);
    }
    const moved = await movedSince(registry, request, name, reference, found.digest, error);
    if (moved === undefined) throw error;
    return fromStored(registry, request, name, reference, moved);
  }
}

/**
 * The manifest that a remembered digest names may be deleted, and its tag moved, within `REGSHIFT_TAG_TTL`: straight at
 * the registry the pull works.
 * @returns undefined where the tag names the same as before, or nothing.
 */
async function movedSince(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  before: Digest,
  error: unknown,
): Promise<Resolution | undefined> {
  if (reference.kind !== 'tag' || !isAbsence(error)) return undefined;
  registry.resolver.forget(name, reference, request.context);
  const now = await registry.resolver.resolve(name, reference, request.context).catch(() => undefined);
  return now?.digest === before ? undefined : now;
}

async function fromStored(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  resolved: Resolution,
): Promise<ManifestResult> {
  const { digest: root, age, public: isPublic } = resolved;
  const form = await rootForm(registry, request, name, resolved).catch((error: unknown) => {
    // Upstream named what it cannot give: it is asked anew next time, unless it only fails or limits.
    if (!isUpstreamFailing(error)) registry.resolver.forget(name, reference, request.context);
    throw error;
  });
  const given = await selectRepresentation({ registry, request, name, reference, root, info: form });
  const right = rightTo(given, resolved, {
    registry,
    name,
    reference,
    credential: request.context.credential,
  });
  return { ...given, age, public: isPublic, freshness: right };
}

interface Proved {
  readonly registry: Registry;
  readonly name: RepositoryName;
  /** What upstream was asked about. */
  readonly reference: Reference;
  /** Of the caller nothing else is kept: behind it is its whole connection. */
  readonly credential: Credential;
}

/**
 * What is given depends on the request's words and on what upstream names: as long as that is the same, the answer may
 * be. Recipes that a cache has lost are put back when it is made again: until then it is not given without a look, or
 * who is told a digest could not have what it names.
 */
function rightTo(given: Representation, resolved: Resolution, proved: Proved): Freshness | undefined {
  const { registry, name, reference, credential } = proved;
  const { isFresh, age, ...before } = resolved;
  if (isFresh === undefined || age !== undefined || !given.complete) return undefined;
  const { converter } = registry;
  const isShared = (made: Digest) => !converter.needsRepublish(name, made);
  const isKnown = (made: Digest) => converter.cachedRecipe(name, made) !== undefined && isShared(made);
  return {
    isFresh: () => isFresh() && given.derived.every(isShared),
    async revalidate(started) {
      const now = await registry.resolver.resolve(name, reference, {
        ...started,
        credential,
        requester: () => unknownRequester,
      });
      const { digest, contentType, public: isPublic } = now;
      const same =
        digest === before.digest && contentType === before.contentType && isPublic === before.public;
      if (!same || !given.derived.every(isKnown)) return undefined;
      if (reference.kind === 'tag') registry.recentTags.record(name, reference.tag);
      return rightTo(given, now, proved);
    },
  };
}

/** What a recipe was made from may be deleted while another index still names the same image. */
export function rootIsGone(error: unknown): undefined {
  if (error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN') return undefined;
  throw error;
}

/** A digest names bytes: what was made by an older version's recipe may be other bytes today. */
function isNamed({ digest }: ManifestResult, reference: Reference): boolean {
  return reference.kind === 'tag' || reference.digest === digest;
}

async function recipeFor(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<ManifestRecipe | undefined> {
  if (reference.kind === 'tag') return undefined;
  const recipe = await registry.converter.recipeOf(name, reference.digest, request.context);
  return recipe?.product === 'manifest' ? recipe : undefined;
}

/** What upstream does not know may be a digest that another replica gave out, or this one before a restart. */
async function resolveOrSearch(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  deadRoot: Digest | undefined,
): Promise<Resolution | ManifestRecipe> {
  try {
    return await registry.resolver.resolve(name, reference, request.context, 'to read');
  } catch (error) {
    const unknown = error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN';
    if (reference.kind === 'tag' || !unknown || asksForOneType(request)) throw error;
    const hints = { ...hintsFor(registry, request), deadRoot };
    const found = await registry.recipeSearch.find(name, reference.digest, hints, request.context);
    if (found?.product !== 'manifest') throw error;
    return found;
  }
}

/**
 * A HEAD that names one type is a pusher's question whether the registry has its manifest already: containerd,
 * BuildKit and Docker with containerd's store send that manifest's type and a wildcard (containerd,
 * remotes/docker/pusher.go, `Push`; "*" alone in its first versions). A client that pulls by digest does not know the
 * type yet, and names all that it reads (remotes/docker/resolver.go, `NewResolver`).
 */
function asksForOneType({ method, headers }: ClientRequest): boolean {
  const { named } = readAccept(headers.get('accept') ?? undefined);
  return method === 'HEAD' && [...named].filter((type) => type !== '*').length === 1;
}

/** A digest of ours: the right to it is the right to what it was made from. */
async function fromRecipe(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  recipe: ManifestRecipe,
): Promise<ManifestResult> {
  const root: Reference = { kind: 'digest', digest: recipe.root };
  const resolved = await resolveRoot(
    registry.resolver,
    name,
    recipe.root,
    referenceText(reference),
    request.context,
  );
  const { age, public: isPublic } = resolved;
  const derived = await registry.converter.convert(name, recipe, request.context);
  const given = representationOf(derived, recipe.sourceType);
  const { credential } = request.context;
  const right = rightTo(given, resolved, { registry, name, reference: root, credential });
  return { ...given, age, public: isPublic, freshness: right };
}

/**
 * What is stored under a reference. A document of no known dialect has no form of ours, and is given as it is to who
 * names its type or takes anything.
 */
async function rootForm(
  registry: Registry,
  request: ClientRequest,
  name: RepositoryName,
  { digest, contentType }: Resolution,
): Promise<ManifestInfo> {
  try {
    return await registry.content.getManifestInfo(name, digest, request.context);
  } catch (error) {
    const foreign = error instanceof ConversionError && error.code === 'UNKNOWN_DIALECT';
    const wanted =
      request.capabilities.wildcard || request.capabilities.types.has(bareMediaType(contentType));
    if (!foreign || !wanted || contentType === '') throw error;
    return { mediaType: bareMediaType(contentType), entries: undefined, zstd: false, singleFamily: true };
  }
}
