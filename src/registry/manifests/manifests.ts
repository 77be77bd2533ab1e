import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { bareMediaType } from '../../../converters/media-types.ts';
import type { Reference, RepositoryName } from '../../../converters/reference.ts';
import { Failure, isUpstreamFailing } from '../../errors.ts';
import { readAccept } from '../../negotiation/accept.ts';
import type { StoredForm } from '../../negotiation/negotiate.ts';
import { unknownRequester } from '../../request/requester.ts';
import type { Credential } from '../../upstream/auth/credential.ts';
import type { Resolved } from '../../upstream/resolution.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Route } from '../registry.ts';
import { resolveRoot } from '../resolve-root.ts';
import { textOf } from '../resolve-upstream.ts';
import { isAbsence } from '../stored-blob.ts';
import { hintsFor } from './client-platform.ts';
import type { HeldRight } from './freshness.ts';
import type { ManifestRecipe } from './recipe.ts';
import { asGiven, type GivenManifest, giveManifest } from './representation.ts';

/** What will be sent, and what the proof of the right to it says. */
export interface ManifestOutcome extends GivenManifest {
  /** Seconds, where upstream fails and an older public answer stands in. */
  readonly staleAge: number | undefined;
  /** Upstream gives what it rests on to anyone. */
  readonly public: boolean;
  /** To give it again as it is; absent where that may not be. */
  readonly right: HeldRight | undefined;
}

/** The way of a manifest request: resolve with the client's right, look at what is stored, decide, make, answer. */
export async function outcomeFor(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
): Promise<ManifestOutcome> {
  const known = await recipeFor(route, request, name, reference);
  const remade = known && (await fromRecipe(route, request, name, reference, known).catch(rootIsGone));
  if (remade && isNamed(remade, reference)) return remade;
  const found = await resolveOrSearch(route, request, name, reference, known?.root);
  if ('product' in found) return fromRecipe(route, request, name, reference, found);
  if (reference.kind === 'tag') route.served.note(name, reference.tag);
  try {
    return await fromStored(route, request, name, reference, found);
  } catch (error) {
    // Docker Hub tells a tag's new digest for free, and then may limit the pull of what it names.
    if (found.earlier && isUpstreamFailing(error)) {
      return fromStored(route, request, name, reference, found.earlier);
    }
    const moved = await movedSince(route, request, name, reference, found.digest, error);
    if (moved === undefined) throw error;
    return fromStored(route, request, name, reference, moved);
  }
}

/**
 * The manifest that a remembered digest names may be deleted, and its tag moved, within `REGSHIFT_TAG_TTL`: straight at
 * the registry the pull works.
 * @returns undefined where the tag names the same as before, or nothing.
 */
async function movedSince(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  before: Digest,
  error: unknown,
): Promise<Resolved | undefined> {
  if (reference.kind !== 'tag' || !isAbsence(error)) return undefined;
  route.resolver.forget(name, reference, request.caller);
  const now = await route.resolver.resolve(name, reference, request.caller).catch(() => undefined);
  return now?.digest === before ? undefined : now;
}

async function fromStored(
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  resolved: Resolved,
): Promise<ManifestOutcome> {
  const { digest: root, staleAge, public: isPublic } = resolved;
  const form = await rootForm(route, request, name, resolved).catch((error: unknown) => {
    // Upstream named what it cannot give: it is asked anew next time, unless it only fails or limits.
    if (!isUpstreamFailing(error)) route.resolver.forget(name, reference, request.caller);
    throw error;
  });
  const given = await giveManifest({ route, request, name, reference, root, form });
  const right = rightTo(given, resolved, { route, name, reference, credential: request.caller.credential });
  return { ...given, staleAge, public: isPublic, right };
}

interface Proved {
  readonly route: Route;
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
function rightTo(given: GivenManifest, resolved: Resolved, proved: Proved): HeldRight | undefined {
  const { route, name, reference, credential } = proved;
  const { holds, staleAge, ...before } = resolved;
  if (holds === undefined || staleAge !== undefined || !given.complete) return undefined;
  const { workshop } = route;
  const isShared = (made: Digest) => !workshop.isLost(name, made);
  const isKnown = (made: Digest) => workshop.recipeAtHand(name, made) !== undefined && isShared(made);
  return {
    holds: () => holds() && given.made.every(isShared),
    async renew(begun) {
      const now = await route.resolver.resolve(name, reference, {
        ...begun,
        credential,
        requester: () => unknownRequester,
      });
      const { digest, contentType, public: isPublic } = now;
      const same =
        digest === before.digest && contentType === before.contentType && isPublic === before.public;
      if (!same || !given.made.every(isKnown)) return undefined;
      if (reference.kind === 'tag') route.served.note(name, reference.tag);
      return rightTo(given, now, proved);
    },
  };
}

/** What a recipe was made from may be deleted while another index still names the same image. */
export function rootIsGone(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'MANIFEST_UNKNOWN') return undefined;
  throw error;
}

/** A digest names bytes: what was made by an older version's recipe may be other bytes today. */
function isNamed({ digest }: ManifestOutcome, reference: Reference): boolean {
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
    return await route.resolver.resolve(name, reference, request.caller, 'to read');
  } catch (error) {
    const unknown = error instanceof Failure && error.code === 'MANIFEST_UNKNOWN';
    if (reference.kind === 'tag' || !unknown || asksForOneType(request)) throw error;
    const hints = { ...hintsFor(route, request), deadRoot };
    const found = await route.search.find(name, reference.digest, hints, request.caller);
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
  route: Route,
  request: ClientRequest,
  name: RepositoryName,
  reference: Reference,
  recipe: ManifestRecipe,
): Promise<ManifestOutcome> {
  const root: Reference = { kind: 'digest', digest: recipe.root };
  const resolved = await resolveRoot(route.resolver, name, recipe.root, textOf(reference), request.caller);
  const { staleAge, public: isPublic } = resolved;
  const product = await route.workshop.make(name, recipe, request.caller);
  const given = asGiven(product, recipe.sourceType);
  const { credential } = request.caller;
  const right = rightTo(given, resolved, { route, name, reference: root, credential });
  return { ...given, staleAge, public: isPublic, right };
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
