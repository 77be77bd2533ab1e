import type { Digest } from '../digest.ts';
import type { ImageConfig } from '../image-config.ts';
import type { Image } from '../model.ts';
import type { ConversionPorts } from '../ports.ts';

/** A blob that a converted manifest names and upstream does not have. */
export type DerivedBlob =
  | { readonly kind: 'config'; readonly digest: Digest; readonly bytes: Uint8Array }
  /** A layer served unpacked: its digest is the diff_id that the config names. */
  | { readonly kind: 'layer'; readonly digest: Digest; readonly packed: Digest; readonly size: number };

/** An image on its way through the steps. */
export interface PreparedImage {
  readonly image: Image;
  /** Fetched by the first step that needs it. */
  readonly config: ImageConfig | undefined;
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Makes a step's change to an image, or gives it back as it is where there is nothing to change.
 * @param unpackZstd whether the client cannot unpack zstd.
 */
export type ConversionStep = (
  prepared: PreparedImage,
  ports: ConversionPorts,
  unpackZstd: boolean,
) => Promise<PreparedImage>;
