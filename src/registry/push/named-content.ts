import type { Digest } from '../../../converters/digest.ts';
import { ConversionError } from '../../../converters/errors.ts';
import type { Model } from '../../../converters/model.ts';
import { readManifest } from '../../../converters/read.ts';

/** The content that a manifest names, and that a registry must have before it takes the manifest. */
export interface NamedContent {
  readonly blobs: readonly Digest[];
  /** For an index, the manifests that it lists. */
  readonly manifests: readonly Digest[];
}

const nothing: NamedContent = { blobs: [], manifests: [] };

/** Reads the content that a manifest names. @returns nothing for an unreadable document, which the registry judges. */
export function contentNamedBy(bytes: Uint8Array, contentType: string): NamedContent {
  try {
    return namedBy(readManifest(bytes, contentType));
  } catch (error) {
    if (error instanceof ConversionError) return nothing;
    throw error;
  }
}

function namedBy(model: Model): NamedContent {
  const named = unique(model.dependencies.map(({ digest }) => digest));
  if (model.kind === 'index') return { blobs: [], manifests: named };
  const config = model.target.kind === 'config' ? [model.target.descriptor.digest] : [];
  return { blobs: unique([...config, ...named]), manifests: [] };
}

function unique(digests: readonly Digest[]): Digest[] {
  return [...new Set(digests)];
}
