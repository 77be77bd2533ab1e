import type { Form } from '../../../converters/conversion-graph.ts';
import type { Digest } from '../../../converters/digest.ts';
import { fitting, formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { hasCode, ignoring, isSpent } from '../../errors.ts';
import { indexFormOf, type ManifestInfo } from '../../negotiation/negotiate.ts';
import {
  hasAttestations,
  hasBothCompressions,
  hasInnerIndex,
  type StoredEntry,
} from '../../negotiation/stored-entries.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ContentStore } from '../content-store.ts';
import { isFaultOfImage } from '../faults-of-image.ts';
import type { PlatformSelector } from './platform-selector.ts';
import { type ManifestRecipe, manifestRecipe } from './recipe.ts';

/** Facts of the client: the manifests that it would get are tried first. */
export interface SearchHints {
  readonly platform: Platform;
  readonly decompressZstd: boolean;
  /** The root of a known recipe, if upstream no longer has it. */
  readonly deadRoot?: Digest | undefined;
  /** The request may be of a push, which asks for each new blob: one failed search in half a minute is enough. */
  readonly mayBePush?: boolean;
  /** The first bytes of layers decide which are zstd: recipes of images whose labels are wrong are tried. */
  readonly probeLayers?: boolean;
}

export interface CandidateSources {
  readonly content: Pick<ContentStore, 'getManifestInfo' | 'hasManifest'>;
  readonly platformSelector: PlatformSelector;
}

/** A stored manifest, and the tag that names it. */
interface TaggedManifest {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Digest;
}

/** The kind of client, and the bound of its search. */
interface CandidateHints extends SearchHints {
  /** False for no images of an index that would have to be fetched: each of them is a pull too. */
  readonly mayFetch: boolean;
}

/** All recipes by which a client of this kind can have got a stored manifest, the likeliest first. */
export async function recipesFor(
  { content, platformSelector }: CandidateSources,
  { repository, tag, root }: TaggedManifest,
  { platform, decompressZstd, probeLayers, mayFetch }: CandidateHints,
  context: RequestContext,
): Promise<ManifestRecipe[]> {
  const info = await content.getManifestInfo(repository, root, context).catch(ignoreUnusable);
  if (!info) return [];
  const common = {
    ...{ root, tag, unpackZstd: decompressZstd, layersOf: formatPlatform(platform) },
    ...(probeLayers ? { probeLayers: true as const } : {}),
  };
  const image = (source: Digest, sourceType: string) => {
    const own = { ...common, source, sourceType, kind: 'image' } as const;
    // The equivalent that an error names for a digest has no tag in it.
    const untagged = manifestRecipe({ ...own, form: 'schema1', tag: '' });
    return [...imageForms.map((each) => manifestRecipe({ ...own, form: each })), untagged];
  };
  const sourceType = info.mediaType;
  if (!info.entries) return image(root, sourceType);
  const mayRead = async (entries: readonly StoredEntry[]) =>
    mayFetch ||
    (await Promise.all(entries.map((each) => content.hasManifest(repository, each.digest, context)))).every(
      Boolean,
    );
  const images = info.entries.filter(({ attestation }) => !attestation);
  const index = { ...common, source: root, sourceType, kind: 'index' } as const;
  // No image is read to leave out attestations.
  const form = indexFormOf(sourceType) ?? 'generic';
  const stripped = hasAttestations(info)
    ? [manifestRecipe({ ...index, form, dropAttestations: 'alone' })]
    : [];
  const lists = [...stripped, ...((await mayRead(images)) ? indexRecipes(info, index) : [])];
  const likely = fitting(platform, images).slice(0, 1);
  if (!(await mayRead(likely.length > 0 ? likely : images))) return lists;
  const chosen = await platformSelector.select(repository, root, platform, context).catch(ignoreUnusable);
  const chosenInfo =
    chosen && (await content.getManifestInfo(repository, chosen, context).catch(ignoreUnusable));
  return chosenInfo ? [...lists, ...image(chosen, chosenInfo.mediaType)] : lists;
}

/** The recipes of an index: as the clients of today get it, and as earlier versions made it. */
function indexRecipes(
  info: ManifestInfo,
  index: Omit<ManifestRecipe, 'product' | 'converters' | 'form'>,
): ManifestRecipe[] {
  const flat = hasInnerIndex(info) ? [{ flatten: true } as const, {}] : [{}];
  const compressed = hasBothCompressions(info) ? [{ preferGzip: true } as const, {}] : [{}];
  const attested =
    hasAttestations(info) || hasInnerIndex(info) ? [{}, { dropAttestations: 'also' } as const] : [{}];
  const recipes = attested.flatMap((each) =>
    flat.flatMap((one) =>
      compressed.flatMap((other) =>
        indexForms.map((form) => manifestRecipe({ ...index, form, ...one, ...other, ...each })),
      ),
    ),
  );
  return [...new Map(recipes.map((recipe) => [JSON.stringify(recipe), recipe])).values()];
}

const imageForms: readonly Form[] = ['schema2', 'oci', 'schema1', 'generic'];
const indexForms: readonly Form[] = ['schema2', 'oci', 'generic'];

/** An image that is broken, or cannot be converted now, does not end the search; an error of upstream does. */
export const ignoreUnusable = ignoring(
  (error) => (hasCode(error, 'UNSUPPORTED') && !isSpent(error)) || isFaultOfImage(error),
);
