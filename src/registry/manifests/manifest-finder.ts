import type { Digest } from '../../../converters/digest.ts';
import { hasCode, isUpstreamFailing } from '../../errors.ts';
import { readAccept } from '../../negotiation/accept.ts';
import { isAbsence } from '../../upstream/error-response.ts';
import type { Purpose, Resolution } from '../../upstream/resolution.ts';
import type { ClientRequest } from '../client-request.ts';
import type { Resolver } from '../resolver.ts';
import { hintsFor, type PlatformSettings } from './client-platform.ts';
import type { KeptManifest, KeptManifests } from './kept-manifests.ts';
import type { ManifestRequest } from './manifest-selector.ts';
import type { ManifestRecipe } from './recipe.ts';
import type { RecipeSearch } from './recipe-search.ts';

/** Finds what a reference names, with the client's own right to it. */
export interface ManifestFinder {
  /**
   * Resolves a reference. A digest that upstream does not have may be one that another replica made, or this one before
   * a restart, or that of a pushed manifest. @throws RegistryError.
   * @param deadRoot the root of a recipe of this digest, if upstream no longer has it.
   */
  find(
    wanted: ManifestRequest,
    deadRoot: Digest | undefined,
  ): Promise<Resolution | ManifestRecipe | KeptManifest>;
  /** Finds another manifest that the reference may stand for, where upstream does not give the one that it named. */
  findOther(wanted: ManifestRequest, named: Resolution, error: unknown): Promise<Resolution | undefined>;
}

export interface ManifestFinderOptions extends PlatformSettings {
  readonly resolver: Resolver;
  readonly recipeSearch: RecipeSearch;
  readonly keptManifests: KeptManifests;
}

export function createManifestFinder(options: ManifestFinderOptions): ManifestFinder {
  const { resolver, recipeSearch, keptManifests } = options;
  return {
    async find(wanted, deadRoot) {
      const { request, repository, reference } = wanted;
      try {
        return await resolver.resolve(repository, reference, request.context, purposeOf(request));
      } catch (error) {
        const isUnknown = hasCode(error, 'MANIFEST_UNKNOWN');
        if (reference.kind === 'tag' || !isUnknown || namesOneType(request)) throw error;
        let failure: unknown;
        const kept = await keptManifests
          .find(repository, reference.digest, request.context)
          .catch((reason) => {
            if (!isUpstreamFailing(reason)) throw reason;
            failure = reason;
          });
        if (kept) return kept;
        const hints = { ...hintsFor(options, request), deadRoot };
        const found = await recipeSearch.find(repository, reference.digest, hints, request.context);
        if (found?.product === 'manifest') return found;
        // A registry that fails to tell whether it has a blob may have the pushed manifest.
        if (failure !== undefined) throw failure;
        if (request.method !== 'GET' || !resolver.doubtsRefusals()) throw error;
        return resolver.resolve(repository, reference, request.context, 'to confirm');
      }
    },

    async findOther({ request, repository, reference }, { digest, previous }, error) {
      // Docker Hub tells a tag's new digest for free, and then may limit the pull of what it names.
      if (previous && isUpstreamFailing(error)) return previous;
      if (reference.kind !== 'tag' || !isAbsence(error)) return undefined;
      // A manifest may be deleted, and its tag moved, within `REGSHIFT_TAG_TTL`: straight at the registry the pull works.
      resolver.forget(repository, reference, request.context);
      const now = await resolver.resolve(repository, reference, request.context).catch(() => undefined);
      return now?.digest === digest ? undefined : now;
    },
  };
}

/** A pusher sends nothing where the registry has its manifest under the reference: a stale reply would lose its push. */
function purposeOf(request: ClientRequest): Purpose {
  if (request.method === 'GET') return 'to send';
  return namesOneType(request) || !request.client.profile.namesPushedType ? 'to compare' : 'to read';
}

/**
 * A HEAD that names one type is a pusher's question whether the registry has its manifest already: containerd,
 * BuildKit and Docker with containerd's store send that manifest's type and a wildcard (containerd,
 * remotes/docker/pusher.go, `Push`; "*" alone in its first versions). A client that pulls by digest does not know the
 * type yet, and names all that it reads (remotes/docker/resolver.go, `NewResolver`).
 */
function namesOneType({ method, headers }: ClientRequest): boolean {
  const { named } = readAccept(headers.get('accept') ?? undefined);
  return method === 'HEAD' && named.size === 1;
}
