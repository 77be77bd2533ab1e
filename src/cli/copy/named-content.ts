import * as z from 'zod/mini';
import { type Digest, isDigest } from '../../../converters/digest.ts';
import { isBlobEntry } from '../../../converters/indexes/entries.ts';
import type { Descriptor, Model } from '../../../converters/model.ts';
import { readManifest } from '../../../converters/read.ts';
import { isOfArtifact } from '../images/artifact.ts';

/** Content by its digest, with its size if a manifest states it. */
export type NamedDigest = Pick<Descriptor, 'digest' | 'size'>;

/** The content that a registry must have before it takes a manifest. */
export interface ManifestContent {
  readonly blobs: readonly NamedDigest[];
  /** For an index, the manifests that it lists. */
  readonly manifests: readonly (NamedDigest & Pick<Descriptor, 'mediaType'>)[];
}

/**
 * Reads the content that a manifest names: of an image, an index, or an artifact like a chart or an attestation. Foreign
 * layers are left out, because registries do not store them.
 * @throws ConversionError for bytes that are no manifest.
 */
export function manifestContent(bytes: Uint8Array, mediaType: string): ManifestContent {
  try {
    return ofModel(readManifest(bytes, mediaType));
  } catch (error) {
    if (isOfArtifact(error, mediaType)) return ofArtifact(bytes);
    throw error;
  }
}

function ofModel(model: Model): ManifestContent {
  if (model.kind === 'index') {
    const { platformTable, dependencies } = model;
    const { blobs = [], manifests = [] } = Object.groupBy(dependencies, (entry) =>
      isBlobEntry(entry) ? 'blobs' : 'manifests',
    );
    return { blobs: [...(platformTable ? [platformTable] : []), ...blobs], manifests };
  }
  const { target, dependencies, attachments } = model;
  const config = target.kind === 'config' ? [target.descriptor] : [];
  const layers = dependencies.filter(({ foreign }) => !foreign);
  return { blobs: [...config, ...layers, ...attachments], manifests: [] };
}

const descriptor = z.object({
  digest: z.custom<Digest>((value) => isDigest(value)),
  size: z.optional(z.number()),
});

/**
 * An OCI manifest with any config and any layers, or an artifact manifest, whose content is in `blobs`. Go writes an empty
 * list as null.
 */
const artifact = z.object({
  config: z.nullish(descriptor),
  layers: z.nullish(z.array(descriptor)),
  blobs: z.nullish(z.array(descriptor)),
});

function ofArtifact(bytes: Uint8Array): ManifestContent {
  const { data } = artifact.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  const { config, layers, blobs } = data ?? {};
  const named = [...(config ? [config] : []), ...(layers ?? []), ...(blobs ?? [])];
  return { blobs: named.map(({ digest, size }) => ({ digest, size })), manifests: [] };
}
