import { hasCode, RegistryError } from '../../errors.ts';
import { listTags } from '../../upstream/api/tags.ts';
import type { OpenImage } from './open-image.ts';

/** Most tags that an error names. */
const mostTags = 10;

/** Most tags among which a tag is looked for whose manifest the registry has lost. */
const mostAsked = 1_000;

/**
 * Adds the first tags of the repository to the error of a tag that the registry does not have, for `errorText`. The error
 * stays as it is where the registry lists no tags.
 * @param found the question for the image. @throws its error, with the tags in `detail.advice`.
 */
export async function orKnownTags<Found>(
  { registry, name, reference, plain }: OpenImage,
  found: Promise<Found>,
): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    if (!hasCode(error, 'MANIFEST_UNKNOWN')) throw error;
    // An index may name a manifest that the registry does not have.
    const isTag = reference.kind === 'tag' && error.message.includes(`manifest ${reference.tag} of `);
    const tags = isTag ? await firstTags() : [];
    if (tags.length === 0) throw error;
    const { code, message, headers, detail } = error;
    // Garbage collection can take a manifest away, and leave its tag.
    const isListed = reference.kind === 'tag' && tags.includes(reference.tag);
    throw new RegistryError(code, message, {
      headers,
      detail: { ...detail, advice: isListed ? lostManifest : adviceOf(tags) },
      cause: error,
    });
  }

  async function firstTags(): Promise<readonly string[]> {
    try {
      return await listTags(registry.client, name, mostAsked, plain.context);
    } catch (error) {
      if (error instanceof RegistryError) return [];
      throw error;
    }
  }
}

const lostManifest = 'The registry lists the tag, but has lost its manifest. Push the image again.';

function adviceOf(tags: readonly string[]): string {
  const names = tags.slice(0, mostTags).join(', ');
  if (tags.length > mostTags) return `Check the tag. The first tags of the repository are ${names}.`;
  return `Check the tag. The repository has the ${tags.length === 1 ? 'tag' : 'tags'} ${names}.`;
}
