import { callsBounded } from './concurrency.ts';
import type { SigningKey } from './crypto/signing-key.ts';
import type { Digest } from './digest.ts';
import { limits } from './limits.ts';
import type { Compression } from './media-types.ts';
import type { Descriptor, Layer } from './model.ts';

/**
 * The functions through which a conversion gets content; the converters themselves only compute. A conversion fails
 * with the unchanged error of a port. If a port throws a ConversionError UNAVAILABLE while an
 * entry of an index is converted, the new index leaves the entry out, and the conversion reports a loss.
 */
export interface ConversionPorts {
  /** Fetches a manifest. The conversion verifies its digest. */
  readonly fetchManifest: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Fetches a config or another small blob. The conversion verifies its digest. */
  readonly fetchBlob: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Determines the compression of a layer from its first bytes. */
  readonly sniffLayer: (layer: Layer) => Promise<Compression>;
  /**
   * Reads a whole layer and measures it. Conversions call this port only if necessary, and for all layers of an image
   * at once; the port itself must limit how many layers it reads concurrently.
   */
  readonly layerFacts: (layer: Layer) => Promise<LayerFacts>;
  /**
   * Compresses the tar of a zstd layer with gzip, and keeps the result. With this optional port, the manifest names the
   * gzip layer where it would name the plain tar.
   */
  readonly gzipLayer?: ((layer: Layer) => Promise<GzipLayer>) | undefined;
  /** Returns the key for schema 1 signatures. Conversions call this port only to sign. */
  readonly signingKey: () => Promise<SigningKey>;
  /**
   * Waits until the program may work on so many bytes without a pause. Conversions call this optional port before they
   * read or write a document, so that a server answers other requests between two steps of a large conversion.
   */
  readonly turn?: TakeTurn | undefined;
}

/** Waits for a turn to work on so many bytes. @returns `undefined` if the turn is now. */
export type TakeTurn = (bytes: number) => Promise<void> | undefined;

/** Measurements of a whole layer. They never change for one digest. */
export interface LayerFacts {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** Size of the stored layer in bytes. */
  readonly packedSize: number;
  /** Size of the decompressed layer in bytes. */
  readonly size: number;
  /** Digest of the decompressed layer. */
  readonly diffId: Digest;
}

/** A layer that was compressed with gzip. */
export interface GzipLayer {
  /** Digest of the compressed layer. */
  readonly digest: Digest;
  /** Size of the compressed layer in bytes. */
  readonly size: number;
}

/** The same ports with at most `limits.fetches` concurrent calls, so that nested indexes do not multiply them. */
export function boundedPorts(ports: ConversionPorts): ConversionPorts {
  const call = callsBounded(limits.fetches);
  return {
    fetchManifest: (descriptor) => call(() => ports.fetchManifest(descriptor)),
    fetchBlob: (descriptor) => call(() => ports.fetchBlob(descriptor)),
    sniffLayer: (layer) => call(() => ports.sniffLayer(layer)),
    layerFacts: (layer) => ports.layerFacts(layer),
    gzipLayer: ports.gzipLayer,
    signingKey: () => ports.signingKey(),
    turn: ports.turn,
  };
}
