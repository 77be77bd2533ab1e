import type { Digest } from '../../../converters/digest.ts';
import { unlessUnreadable } from '../../../converters/errors.ts';
import { fitting, type Platform } from '../../../converters/platform.ts';
import { readManifest } from '../../../converters/read.ts';

/** Returns the digest of the image that a client selects from an index; undefined for what is no index. */
export function imageBelow(bytes: Uint8Array, mediaType: string, platform: Platform): Digest | undefined {
  // An artifact has no images.
  const model = unlessUnreadable(() => readManifest(bytes, mediaType));
  return model?.kind === 'index' ? fitting(platform, model.dependencies)[0]?.digest : undefined;
}
