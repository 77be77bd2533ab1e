import { type Digest, isDigest } from '../../../converters/digest.ts';
import { unlessUnreadable } from '../../../converters/errors.ts';
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
  return unlessUnreadable(() => namedBy(readManifest(bytes, contentType))) ?? nothing;
}

const decoder = new TextDecoder();

/**
 * Whether a document may name wanted content. It looks at the text alone, which costs a tenth of reading a manifest; most
 * pushed manifests name nothing that regshift makes.
 * @param isWanted decides about each digest that is written in the document.
 */
export function mayName(bytes: Uint8Array, isWanted: (digest: Digest) => boolean): boolean {
  const text = decoder.decode(bytes);
  // JSON can write each character of a digest as an escape.
  if (text.includes('\\u')) return true;
  for (const [digest] of text.matchAll(/\bsha\d{3}:[0-9a-f]+/g))
    if (isDigest(digest) && isWanted(digest)) return true;
  return false;
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
