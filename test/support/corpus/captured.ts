import type { Digest } from '../../../converters/index.ts';

/** A manifest as a program wrote it. */
export interface CapturedManifest {
  readonly mediaType: string;
  /** The digest that a registry gave to it. */
  readonly digest: Digest;
  /** The whole text, byte for byte. */
  readonly text: string;
}

/** An image, index or artifact that a program wrote. */
export interface CapturedImage {
  readonly name: string;
  /** The commands that wrote it. */
  readonly ran: string;
  /** Children first; the tag names the last one. */
  readonly manifests: readonly CapturedManifest[];
}

/** A file of `test/corpus`: everything that one program wrote. */
export interface CapturedFile {
  readonly tool: string;
  /** The program's own words for its version. */
  readonly version: string;
  /** The day of the run. */
  readonly date: string;
  readonly images: readonly CapturedImage[];
  /** Configs as text, and layers in base64. */
  readonly blobs: Readonly<Record<Digest, { readonly text: string } | { readonly base64: string }>>;
}
