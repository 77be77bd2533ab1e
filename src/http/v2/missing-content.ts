import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { ignoring, RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import { hintsFor } from '../../registry/manifests/client-platform.ts';
import type { Recipe } from '../../registry/manifests/recipe.ts';
import { type DerivedContent, derivedContentOf } from '../../registry/push/derived-content.ts';
import { contentNamedBy, mayName, type NamedContent } from '../../registry/push/named-content.ts';
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

/**
 * Maximum number of digests of one refused manifest that remote caches are asked for. An image has at most 127
 * layers.
 */
const mostLookUps = 128;

export async function missingContentOf(
  registry: Registry,
  request: ClientRequest,
  repository: RepositoryName,
  bytes: Uint8Array | undefined,
): Promise<MissingContent> {
  const { context } = request;
  await registry.client.turn?.(bytes?.length ?? 0);
  const document = bytes ?? new Uint8Array();
  let read: NamedContent | undefined;
  const named = () => (read ??= contentNamedBy(document, request.headers.get('content-type') ?? ''));
  const upload = (content: DerivedContent, isRefused: boolean) =>
    registry.pushes.uploadMissing({ repository, context, isRefused }, content);
  const uploaded = new Set<Digest>();
  return {
    async uploadKnown() {
      const find = (digest: Digest) => registry.recipes.cachedRecipe(repository, digest);
      const isDerived = (digest: Digest) => digest === emptyLayer.digest || find(digest) !== undefined;
      if (!mayName(document, isDerived)) return;
      for (const digest of await upload(derivedContentOf(named(), find), false)) uploaded.add(digest);
    },
    async uploadRefused(lacking) {
      const lacked = among(named(), lacking, uploaded);
      const pusher = { repository, context };
      const kept = await registry.pushes.converter.pushKept(pusher, lacked.manifests.slice(0, mostLookUps));
      if (kept.length > 0) return true;
      const wanted = [...lacked.blobs, ...lacked.manifests];
      const recipes = await findRecipes(registry, request, repository, wanted);
      const content = derivedContentOf(lacked, (digest) => recipes.get(digest));
      return (await upload(content, true)).length > 0;
    },
  };
}

/**
 * If a refusal names digests of the manifest, only these are missing.
 * @param uploaded content that a second upload would not help.
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
 * Recipes that other replicas made: from a shared cache, or found by a search of the tags. One search finds
 * everything that a conversion made, so the first failed search is the last one.
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

/** The client then gets upstream's own refusal of the manifest. */
const ignoreFailure = ignoring((error) => error instanceof RegistryError);
