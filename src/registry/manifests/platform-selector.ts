import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import { chooseImage } from '../../../converters/indexes/select-image.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';
import type { RepositoryName } from '../../../converters/reference.ts';
import { createBounded } from '../../cache/lru.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Content } from '../content-store.ts';
import type { Workshop } from './converter.ts';

export interface Chooser {
  /**
   * The stored image of an index that a client of this platform runs.
   * @throws ConversionError NO_PLATFORM naming those there are; Failure.
   */
  choose(repository: RepositoryName, index: Digest, platform: Platform, caller: Caller): Promise<Digest>;
}

/** Choices depend on immutable content alone, so they are remembered for good. */
export function createChooser(content: Content, workshop: Workshop): Chooser {
  const choices = createBounded<string, Digest>(5_000);
  return {
    async choose(repository, index, platform, caller) {
      const key = `${repository} ${index} ${formatPlatform(platform)}`;
      const known = choices.get(key);
      if (known) return known;
      const stored = await content.manifest(repository, index, caller);
      const model = readManifest(stored.bytes, stored.contentType);
      if (model.kind !== 'index') {
        throw new ConversionError({ code: 'INVALID', message: 'An index was expected', found: 'an image' });
      }
      const image = await chooseImage(model, platform, workshop.ports(repository, caller));
      choices.set(key, image.source.digest);
      return image.source.digest;
    },
  };
}
