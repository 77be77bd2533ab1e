import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { selectImage } from '../../../converters/indexes/select-image.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { MemoryBudget } from '../../cache/memory-budget.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { ContentStore } from '../content-store.ts';
import type { ManifestConverter } from './converter.ts';

export interface PlatformSelector {
  /**
   * Selects the stored image of an index that a client of this platform runs.
   * @throws ConversionError NO_PLATFORM with the platforms that there are; RegistryError.
   */
  select(
    repository: RepositoryName,
    index: Digest,
    platform: Platform,
    context: RequestContext,
  ): Promise<Digest>;
}

/** Selections depend on immutable content alone, so they are cached without an end. */
export function createPlatformSelector(
  content: ContentStore,
  converter: ManifestConverter,
  memory: MemoryBudget,
): PlatformSelector {
  const selections = memory.table<Digest>('manifest-facts');
  return {
    async select(repository, index, platform, context) {
      const key = `${repository} ${index} ${formatPlatform(platform)}`;
      const known = selections.get(key);
      if (known) return known;
      const model = await content.getModel(repository, index, context);
      if (model.kind !== 'index') {
        throw new ConversionError({ code: 'INVALID', message: 'An index was expected', found: 'an image' });
      }
      const image = await selectImage(model, platform, converter.ports(repository, context));
      selections.set(key, image.source.digest);
      return image.source.digest;
    },
  };
}
