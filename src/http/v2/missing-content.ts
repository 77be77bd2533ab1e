import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { hintsFor } from '../../registry/manifests/client-platform.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import { type DerivedContent, derivedContentOf } from '../../registry/push/derived-content.ts';
import { contentNamedBy, type NamedContent } from '../../registry/push/named-content.ts';
import type { Registry } from '../../registry/registry.ts';

/** The content that a pushed manifest names, upstream lacks and regshift can make. */
export interface MissingContent {
  /**
   * Uploads the content whose recipes are in memory. A manifest that names none of it costs no request.
   * @throws RegistryError as `uploadMissing`.
   */
  uploadKnown(): Promise<void>;
  /**
   * Uploads the content that another replica made, after upstream has refused the manifest.
   * @param lacking the digests that the refusal names; none where it names none.
   * @returns whether something was uploaded, so that upstream may take the manifest now.
   */
  uploadRefused(lacking: readonly Digest[]): Promise<boolean>;
}

/** Digests of one refused manifest that are looked up in caches far away. An image has at most 127 layers. */
const mostLookUps = 128;

export function missingContentOf(
  registry: Registry,
  request: ClientRequest,
  repository: RepositoryName,
  bytes: Uint8Array | undefined,
): MissingContent {
  const { context } = request;
  const named = contentNamedBy(bytes ?? new Uint8Array(), request.headers.get('content-type') ?? '');
  const upload = (content: DerivedContent, isRefused: boolean) =>
    registry.pushes.uploadMissing({ repository, context, isRefused }, content);
  const uploaded = new Set<Digest>();
  return {
    async uploadKnown() {
      const find = (digest: Digest) => registry.recipes.cachedRecipe(repository, digest);
      for (const digest of await upload(derivedContentOf(named, find), false)) uploaded.add(digest);
    },
    async uploadRefused(lacking) {
      const wanted = among(named, lacking, uploaded);
      const recipes = await findRecipes(registry, request, repository, [
        ...wanted.blobs,
        ...wanted.manifests,
      ]);
      const content = derivedContentOf(wanted, (digest) => recipes.get(digest));
      return (await upload(content, true)).length > 0;
    },
  };
}

/**
 * A refusal that names digests of the manifest speaks of these alone.
 * @param uploaded content that was uploaded before, which a second upload would not help.
 */
function among(
  { blobs, manifests }: NamedContent,
  lacking: readonly Digest[],
  uploaded: ReadonlySet<Digest>,
): NamedContent {
  const isNamed = [...blobs, ...manifests].some((digest) => lacking.includes(digest));
  const keep = (digest: Digest) => !uploaded.has(digest) && (!isNamed || lacking.includes(digest));
  return { blobs: blobs.filter(keep), manifests: manifests.filter(keep) };
}

/**
 * Recipes of other replicas: in a cache that is shared, or found by a search through the tags. One search finds all that
 * a conversion made, so that the first search in vain is the last one.
 */
async function findRecipes(
  registry: Registry,
  request: ClientRequest,
  repository: RepositoryName,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, Recipe>> {
  const { context } = request;
  const search = (digest: Digest, deadRoot: Digest | undefined): Promise<Recipe | undefined> => {
    const hints = { ...hintsFor(registry, request), deadRoot };
    return registry.recipes.find(repository, digest, hints, context).catch(ignoreFailure);
  };
  const found = new Map<Digest, Recipe>();
  let isSearching = true;
  for (const digest of digests.slice(0, mostLookUps)) {
    if (digest === emptyLayer.digest) continue;
    const known = await registry.recipes.recipeOf(repository, digest, context);
    const isUsable =
      known !== undefined && (await registry.pushes.mayRead({ repository, context }, known.root));
    const recipe: Recipe | undefined = isUsable || !isSearching ? known : await search(digest, known?.root);
    isSearching &&= recipe !== undefined;
    if (recipe) found.set(digest, recipe);
  }
  return found;
}

/** Upstream's own refusal of the manifest is what the client is then told. */
function ignoreFailure(error: unknown): undefined {
  if (error instanceof RegistryError) return undefined;
  throw error;
}
