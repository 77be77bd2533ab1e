import { callsBounded } from './concurrency.ts';
import type { SigningKey } from './crypto/signing-key.ts';
import type { Digest } from './digest.ts';
import { limits } from './limits.ts';
import type { Compression } from './media-types.ts';
import type { Descriptor, Layer } from './model.ts';

/**
 * What a conversion needs from outside; nothing else is done but computing. Each port may fail with any error, which
 * is passed on as it is. A port that throws a ConversionError UNAVAILABLE says that the thing does not exist: a child
 * of an index is then left out, and reported.
 */
export interface ConversionPorts {
  /** The bytes of a manifest; they are verified here. */
  readonly fetchManifest: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** The bytes of a config, or of another small blob; they are verified here. */
  readonly fetchBlob: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** How a layer is packed, by its first bytes. */
  readonly sniffLayer: (layer: Layer) => Promise<Compression>;
  /**
   * What only reading the whole layer tells. Asked for where a conversion cannot do without, and for all layers of an
   * image at once: how many are read at a time is for whoever reads them to bound.
   */
  readonly layerFacts: (layer: Layer) => Promise<LayerFacts>;
  /** Only asked for when something is to be signed. */
  readonly signingKey: () => Promise<SigningKey>;
}

/** What is known of a layer that was read to its end; it never changes. */
export interface LayerFacts {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** Bytes as stored. */
  readonly packedSize: number;
  /** Bytes unpacked. */
  readonly size: number;
  /** The digest of the layer unpacked. */
  readonly diffId: Digest;
}

/** The same ports with so many fetches under way at most: indexes in indexes must not multiply them. */
export function boundedPorts(ports: ConversionPorts): ConversionPorts {
  const call = callsBounded(limits.fetches);
  return {
    fetchManifest: (descriptor) => call(() => ports.fetchManifest(descriptor)),
    fetchBlob: (descriptor) => call(() => ports.fetchBlob(descriptor)),
    sniffLayer: (layer) => call(() => ports.sniffLayer(layer)),
    layerFacts: (layer) => ports.layerFacts(layer),
    signingKey: () => ports.signingKey(),
  };
}
