import type { Bytes } from '../bytes.ts';
import type { Digest } from '../digest.ts';
import type { ImageConfig } from '../image-config.ts';
import type { Image } from '../model.ts';
import type { ConversionPorts } from '../ports.ts';

/** A blob that a converted manifest names and that upstream does not have. */
export type DerivedBlob =
  | { readonly kind: 'config'; readonly digest: Digest; readonly bytes: Bytes }
  /**
   * A decompressed layer. Its digest is the diff_id in the config, `packed` the digest of the stored compressed layer,
   * and `size` the byte count after decompression. With the port `gzipLayer`, digest and size are those of the port.
   */
  | { readonly kind: 'layer'; readonly digest: Digest; readonly packed: Digest; readonly size: number };

/** An image between two steps of a conversion. */
export interface PreparedImage {
  readonly image: Image;
  /** The config, once a step has fetched or made it. */
  readonly config: ImageConfig | undefined;
  /** Blobs that the steps derived. */
  readonly blobs: readonly DerivedBlob[];
}

/**
 * One step of a conversion. It returns the prepared image unchanged if there is nothing to do.
 * @param unpackZstd whether the client cannot decompress zstd.
 */
export type ConversionStep = (
  prepared: PreparedImage,
  ports: ConversionPorts,
  unpackZstd: boolean,
) => Promise<PreparedImage>;
